import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { FlattenedSign } from 'jose';
import type { Shop } from './context.ts';
import type { SigningKey } from './keys.ts';

/** A detached JWS over the raw bytes: RFC 7797, payload not encoded. Deterministic, so retries carry the same signature. */
export async function signBody(key: SigningKey, body: Buffer): Promise<string> {
  const jws = await new FlattenedSign(body)
    .setProtectedHeader({ alg: 'RS256', b64: false, crit: ['b64'], kid: key.kid, typ: 'JWT' })
    .sign(key.privateKey);
  return `${jws.protected}..${jws.signature}`;
}

/** Header pairs in the order and spelling that Saleor sends them. */
export async function webhookHeaders(
  shop: Shop,
  about: { event: string; body: Buffer; custom: Readonly<Record<string, string>> },
): Promise<[string, string][]> {
  const signature = await signBody(shop.key, about.body);
  const event = about.event.toLowerCase();
  const domain = new URL(shop.origin).host;
  return [
    ...clientHeaders,
    ['Content-Type', 'application/json'],
    ['X-Saleor-Event', event],
    ['X-Saleor-Domain', domain],
    ['X-Saleor-Signature', signature],
    ['Saleor-Event', event],
    ['Saleor-Domain', domain],
    ['Saleor-Signature', signature],
    ['Saleor-Api-Url', shop.apiUrl],
    ['traceparent', `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`],
    ...Object.entries(about.custom).map(([name, value]): [string, string] => [name.toLowerCase(), value]),
  ];
}

/** What every request of Saleor begins with. */
export const clientHeaders: readonly [string, string][] = [
  ['User-Agent', 'Saleor/3.22'],
  ['Accept-Encoding', 'gzip, deflate'],
  ['Accept', '*/*'],
  ['Connection', 'keep-alive'],
];

/** An answer of the other side, at most 64 KiB of it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request without redirects. `Host` has no port, as Saleor's outgoing requests have none. Rejects when there is no whole answer
 * within `timeoutMs`, or when `signal` aborts.
 */
export function send(request: {
  method: 'GET' | 'POST';
  url: string;
  headers: readonly [string, string][];
  body?: Buffer;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<Answer> {
  const url = new URL(request.url);
  const headers = [
    ...request.headers,
    ...(request.body ? [['Content-Length', String(request.body.length)] as [string, string]] : []),
    ['Host', url.hostname] as [string, string],
  ].flat();
  const signals = [AbortSignal.timeout(request.timeoutMs), ...(request.signal ? [request.signal] : [])];
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? https : http).request(
      url,
      { method: request.method, headers, agent: false, signal: AbortSignal.any(signals) },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= 65_536) chunks.push(chunk);
        });
        incoming.once('end', () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
        incoming.once('error', reject);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(request.body);
  });
}
