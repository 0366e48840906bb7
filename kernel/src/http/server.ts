import http from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.ts';
import { notePeer } from './client-address.ts';
import { problemOf, problemResponse } from './problem.ts';
import { SignalledRequest } from './signalled-request.ts';
import { withTrace } from './trace.ts';

/** A listening HTTP server around a fetch handler. */
export interface HttpServer {
  /** Origin, e.g. `http://127.0.0.1:4000`. */
  readonly origin: string;
  readonly port: number;
  readonly server: http.Server;
  /** Stops accepting, lets requests under way end for up to `graceMs`, then closes what is left. */
  close(graceMs?: number): Promise<void>;
}

/** How large request bodies may be, and what is answered to those that are larger. */
export interface BodyLimit {
  /** In bytes. */
  readonly most: number;
  /** Answers 413 at a path. */
  tooLarge(path: string): Response;
}

/** The limit that holds unless the handler's owner says otherwise. */
export const bodyLimit = (most = 1_048_576): BodyLimit => ({
  most,
  tooLarge: () =>
    problemResponse({
      status: 413,
      code: 'BODY_TOO_LARGE',
      title: `The body may have at most ${most} bytes.`,
      maxBody: most,
    }),
});

/**
 * Serves `fetch` on node:http. Bodies over the limit are refused with 413 before the handler sees them; a client that goes away
 * aborts `request.signal`; response streams are written with backpressure, to readers who read. `port` 0 takes a free one.
 */
export async function serve(options: {
  fetch: (request: Request) => Promise<Response>;
  host?: string;
  port: number;
  log: Log;
  bodies?: BodyLimit | undefined;
  /** How long a reader may take nothing of what waits for them before they are let go. */
  stalledMs?: number;
}): Promise<HttpServer> {
  const host = options.host ?? '127.0.0.1';
  const stalledMs = options.stalledMs ?? 60_000;
  const bodies = options.bodies ?? bodyLimit();
  const sockets = new Set<Socket>();
  const server = http.createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 30_000 },
    (incoming, outgoing) => {
      void withTrace(header(incoming, 'traceparent'), () => answer(incoming, outgoing));
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, host, resolve),
  );
  const port = (server.address() as { port: number }).port;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

  async function answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort(over));
    let response: Response;
    try {
      const body = await readBody(incoming, bodies.most);
      if (body === 'too large') {
        outgoing.shouldKeepAlive = false; // the rest of the body is not read
        response = bodies.tooLarge(new URL(incoming.url ?? '/', 'http://localhost').pathname);
      } else {
        const request = requestOf(incoming, body, gone.signal);
        if (request) notePeer(request, incoming.socket.remoteAddress ?? '');
        response = request ? await options.fetch(request) : malformed();
      }
    } catch (error) {
      response = problemOf(error, options.log);
    }
    await write(response, outgoing, { gone: gone.signal, stalledMs });
  }

  /** Undefined for what HTTP's parser lets through and no Request can be: a Host that is none, a target or method that the standard forbids. */
  function requestOf(
    incoming: http.IncomingMessage,
    body: Buffer<ArrayBuffer> | null,
    signal: AbortSignal,
  ): Request | undefined {
    const headers = new Headers();
    try {
      for (let i = 0; i < incoming.rawHeaders.length; i += 2)
        headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
      const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? `${host}:${port}`}`);
      return new SignalledRequest(url, { method: incoming.method ?? 'GET', headers, body, signal });
    } catch {
      return undefined;
    }
  }

  return {
    origin,
    port,
    server,
    async close(graceMs = 5_000) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Why a request's signal aborts, whichever request it is: an error of its own for each, with its trace, is made for nobody. */
const over = new DOMException('The answer was sent, or its client went away.', 'AbortError');

async function readBody(
  incoming: http.IncomingMessage,
  maxBody: number,
): Promise<Buffer<ArrayBuffer> | null | 'too large'> {
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return null;
  if (Number(incoming.headers['content-length'] ?? 0) > maxBody) return 'too large';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) return 'too large';
    chunks.push(chunk);
  }
  return size === 0 ? null : Buffer.concat(chunks);
}

const malformed = (): Response =>
  problemResponse({ status: 400, code: 'BAD_REQUEST', title: 'The request line or a header is malformed.' });

async function write(
  response: Response,
  outgoing: http.ServerResponse,
  { gone, stalledMs }: { readonly gone: AbortSignal; readonly stalledMs: number },
): Promise<void> {
  if (gone.aborted) {
    await response.body?.cancel().catch(() => undefined);
    return;
  }
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length) outgoing.setHeader('set-cookie', cookies);
  outgoing.statusCode = response.status;
  if (!response.body) {
    outgoing.end();
    return;
  }
  // What of the body is there at once goes out together with the headers.
  const flush = setImmediate(() => outgoing.flushHeaders());
  const reader = response.body.getReader();
  // Read by hand: the body may be another library's ReadableStream, which node's adapters refuse.
  const left = () => void reader.cancel().catch(() => undefined);
  gone.addEventListener('abort', left);
  try {
    for (let next = await reader.read(); !next.done && !gone.aborted; next = await reader.read())
      if (!outgoing.write(next.value)) await drained(outgoing, stalledMs);
    outgoing.end();
  } catch {
    outgoing.destroy(); // the handler's stream failed: a cut connection says so, a clean end would not
  } finally {
    clearImmediate(flush);
    gone.removeEventListener('abort', left);
  }
}

/** Resolves when more may be written, or when nobody is there to read it: whoever takes nothing for too long is let go. */
const drained = (outgoing: http.ServerResponse, stalledMs: number): Promise<void> =>
  new Promise((resolve) => {
    const stalled = setTimeout(() => outgoing.destroy(), stalledMs);
    const go = (): void => {
      clearTimeout(stalled);
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.once('drain', go).once('close', go);
  });

const header = (incoming: http.IncomingMessage, name: string): string | null => {
  const value = incoming.headers[name];
  return typeof value === 'string' ? value : null;
};
