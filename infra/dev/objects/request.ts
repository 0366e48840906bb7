import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { receive, type Received } from './files.ts';
import { S3Error } from './s3-error.ts';
import { decode, pathOf } from './signature.ts';

/** A verified request, taken apart. */
export interface S3Request {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** Empty for requests to the service itself. */
  readonly bucket: string;
  /** Empty for requests to the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Hex SHA-256 that the signer says the body has; undefined when it was left unsigned. */
  readonly bodySha256: string | undefined;
}

const maxKeyBytes = 1_024;

/** Path-style addressing: `/bucket/key…`. Throws KeyTooLongError before anything is stored under such a key. */
export function parseTarget(target: string): { bucket: string; key: string; query: URLSearchParams } {
  const path = pathOf(target);
  const [, bucket = '', ...rest] = path.split('/');
  const key = rest.map(decode).join('/');
  if (Buffer.byteLength(key) > maxKeyBytes) throw new S3Error('KeyTooLongError');
  return {
    bucket: decode(bucket),
    key,
    // Signature V4 knows no `+` for blanks, so it stays a plus sign.
    query: new URLSearchParams(target.slice(path.length + 1).replaceAll('+', '%2B')),
  };
}

/** S3's bound for one PUT, 5 GiB. */
export const largestPut = 5 * 1024 ** 3;
/** Bound for XML bodies, 2 MiB: a delete of 1,000 long keys fits. */
const largestXml = 2 * 1024 ** 2;

const header = (request: S3Request, name: string): string | undefined => {
  const value = request.incoming.headers[name];
  return typeof value === 'string' ? value : undefined;
};

/**
 * Receives the request's body into `directory`, checked against Content-Length, the signed SHA-256, Content-MD5 and x-amz-checksum-sha256. Nothing is
 * left on disk when a check fails.
 */
export async function receiveBody(request: S3Request, directory: string): Promise<Received> {
  const length = contentLength(request);
  if (length > largestPut) throw new S3Error('EntityTooLarge');
  const received = await receive(request.incoming as AsyncIterable<Buffer>, {
    directory,
    maxBytes: largestPut,
  });
  const fault = bodyFault(request, { ...received, length });
  if (fault) {
    await fs.rm(received.file, { force: true });
    throw new S3Error(fault);
  }
  return received;
}

/** A small XML body as text, with the same checks. */
export async function readXml(request: S3Request): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestXml) throw new S3Error('EntityTooLarge');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const digest = (name: string): string => createHash(name).update(body).digest('hex');
  const fault = bodyFault(request, { size, length: size, md5: digest('md5'), sha256: digest('sha256') });
  if (fault) throw new S3Error(fault);
  return body.toString('utf8');
}

function contentLength(request: S3Request): number {
  const length = header(request, 'content-length');
  if (length === undefined) throw new S3Error('MissingContentLength');
  return Number(length);
}

function bodyFault(
  request: S3Request,
  body: { size: number; length: number; md5: string; sha256: string },
): 'IncompleteBody' | 'XAmzContentSHA256Mismatch' | 'BadDigest' | undefined {
  if (body.size !== body.length) return 'IncompleteBody';
  if (request.bodySha256 !== undefined && request.bodySha256 !== body.sha256)
    return 'XAmzContentSHA256Mismatch';
  const md5 = header(request, 'content-md5');
  if (md5 !== undefined && md5 !== base64(body.md5)) return 'BadDigest';
  const checksum = header(request, 'x-amz-checksum-sha256');
  if (checksum !== undefined && checksum !== base64(body.sha256)) return 'BadDigest';
  return undefined;
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

const kept = [
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
];

/** What is stored with an object and given back with it: its type and caching headers, and the user's own metadata. */
export function storedHeaders(request: S3Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.incoming.headers).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && (kept.includes(entry[0]) || entry[0].startsWith('x-amz-meta-')),
    ),
  );
}
