import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './store.ts';

/** An answer of a handler: XML or nothing, or the bytes of an object. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | {
      readonly object: StoredObject;
      readonly handle: FileHandle;
      readonly headers?: Readonly<Record<string, string>>;
      readonly range: string | undefined;
    };

const overridable = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

/** Headers of an object's answer; `response-…` query parameters of a signed GET replace the stored ones. */
export function objectHeaders(object: StoredObject, query: URLSearchParams): Record<string, string> {
  const overrides = overridable.flatMap((name) => {
    const value = query.get(`response-${name}`);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    ...Object.fromEntries(overrides),
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModified).toUTCString(),
    'accept-ranges': 'bytes',
  };
}

/** Writes the answer; a HEAD request gets the headers alone. */
export async function send(answer: Answer, o: { outgoing: ServerResponse; isHead: boolean }): Promise<void> {
  const { outgoing, isHead } = o;
  if (!('object' in answer)) {
    const body = answer.body ?? '';
    outgoing.writeHead(answer.status, {
      ...(body ? { 'content-type': 'application/xml' } : {}),
      ...(answer.status === 204 || answer.status === 304
        ? {}
        : { 'content-length': String(Buffer.byteLength(body)) }),
      ...answer.headers,
    });
    outgoing.end(isHead ? undefined : body);
    return;
  }
  try {
    const { size } = answer.object;
    const range = readRange(answer.range, size);
    const [start, end] = range ?? [0, size - 1];
    outgoing.writeHead(range ? 206 : 200, {
      ...answer.headers,
      'content-length': String(end - start + 1),
      ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (isHead || size === 0) outgoing.end();
    else await pipeline(answer.handle.createReadStream({ start, end, autoClose: false }), outgoing);
  } finally {
    await answer.handle.close();
  }
}

/** First and last byte of a single-range header; undefined when the whole object is meant (no, several or malformed ranges). */
export function readRange(text: string | undefined, size: number): [number, number] | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(text ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  if (parts[1] === '') {
    const length = Number(parts[2]);
    if (length === 0 || size === 0) throw new S3Error('InvalidRange');
    return [Math.max(0, size - length), size - 1];
  }
  const first = Number(parts[1]);
  const last = parts[2] === '' ? size - 1 : Math.min(Number(parts[2]), size - 1);
  if (parts[2] !== '' && Number(parts[2]) < first) return undefined;
  if (first >= size) throw new S3Error('InvalidRange');
  return [first, last];
}
