import type { IncomingMessage, ServerResponse } from 'node:http';

const largestBody = 8 * 1024 ** 2;

/** The request's JSON body; undefined when it is no JSON. Bodies over 8 MiB are not read to their end and count as no JSON. */
export async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Answers JSON with its length, as uvicorn does. */
export function sendJson(
  outgoing: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, {
    ...headers,
    'content-length': String(Buffer.byteLength(text)),
    'content-type': 'application/json',
  });
  outgoing.end(text);
}
