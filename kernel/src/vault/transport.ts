import { Pool } from 'undici';
import { SecretStoreUnavailable } from './secret-store.ts';

/** A request as node-vault makes it (`request-promise` of its configuration). */
export interface VaultRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal: AbortSignal;
}

/** What node-vault wants of an answer; `body` is undefined for what is not JSON. */
export interface VaultResponse {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface VaultTransport {
  send(request: VaultRequest): Promise<VaultResponse>;
  close(): Promise<void>;
}

/** Largest answer read, in bytes: what Vault itself takes as one entry. */
const mostBytes = 1_048_576;

/**
 * One origin over a pool of connections: nothing else is ever connected to, no redirect followed, no proxy asked, and certificates are verified whatever the
 * environment says. A path that a URL would read as another one is not sent.
 */
export function createVaultTransport(origin: string, connectMs: number): VaultTransport {
  const pool = new Pool(origin, {
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxResponseSize: mostBytes,
    connect: { timeout: connectMs, rejectUnauthorized: true },
  });
  return {
    async send({ method, uri, headers, json, signal }) {
      const url = new URL(uri);
      if (url.origin !== new URL(origin).origin || url.href !== uri)
        throw new SecretStoreUnavailable('a path that is not what it seems was not sent');
      const path = url.pathname + url.search;
      try {
        const answer = await pool.request({
          method: method as 'GET',
          path,
          headers: json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
          body: json === undefined ? null : JSON.stringify(json),
          signal,
        });
        const bytes = Buffer.from(await answer.body.arrayBuffer());
        const body = parse(bytes);
        bytes.fill(0);
        return { statusCode: answer.statusCode, body, request: { path } };
      } catch (error) {
        // Without its cause: a parser's error holds the answer itself.
        throw new SecretStoreUnavailable(`no usable answer of the secret store: ${reasonOf(error)}`);
      }
    },
    close: () => pool.close(),
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
