import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { ToolRefusal } from '../../calls/refusals.ts';
import { isShallow } from '../../connectors/json-schema.ts';
import type { ToolResult } from '../../calls/tool-call.ts';

const mostDepth = 64;

/** The body, decompressed, or RESPONSE_TOO_LARGE as soon as it has more than `most` bytes: what is left of it is not read. */
export async function readBody(body: Readable, encoding: string | undefined, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > most) throw new ToolRefusal('RESPONSE_TOO_LARGE');
      chunks.push(chunk);
    }
  };
  const decoder = decoderOf(encoding);
  await (decoder ? pipeline(body, decoder, collect) : collect(body));
  return Buffer.concat(chunks);
}

function decoderOf(encoding: string | undefined): zlib.Gunzip | zlib.BrotliDecompress | undefined {
  switch (encoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    default:
      throw new ToolRefusal('UPSTREAM_INVALID');
  }
}

/** What an upstream's answer is to a model. Throws UPSTREAM_INVALID for a good status with a body that is not what it says. */
export function resultOf(answer: {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}): ToolResult {
  const { status, body } = answer;
  if (status >= 400)
    return {
      content: [{ type: 'text', text: `HTTP ${status}\n${body.toString()}`.trim() }],
      isError: true,
    };
  const [media = ''] = (answer.contentType ?? '').toLowerCase().split(';');
  const type = media.trim();
  if (body.length === 0) return { content: [], isError: false };
  if (/^(image|audio)\/[a-z0-9.+-]+$/.test(type))
    return {
      content: [{ type: type.slice(0, 5), data: body.toString('base64'), mimeType: type }],
      isError: false,
    };
  const text = textOf(body);
  if (!/[/+]json$/.test(type)) return { content: [{ type: 'text', text }], isError: false };
  return { content: [{ type: 'text', text }], structuredContent: jsonOf(text), isError: false };
}

function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new ToolRefusal('UPSTREAM_INVALID');
  }
}

function jsonOf(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ToolRefusal('UPSTREAM_INVALID');
  }
  if (!isShallow(value, mostDepth)) throw new ToolRefusal('UPSTREAM_INVALID');
  return value;
}
