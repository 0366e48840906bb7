import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';

/** One request that reached the receiver, as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An app's side of the protocol, as plain as it can be. */
export interface Receiver {
  origin: string;
  readonly received: Received[];
  /** Decides the status of the next answers; 200 by default. A promise holds the answer back. */
  answer: (request: Received) => number | Promise<number>;
  /** Body of answers to GET. */
  manifest: object;
  /** Waits until so many requests to `path` came; fails the test by its time limit. */
  wait(path: string, count: number): Promise<Received[]>;
}

/** A receiver on a free port for the file's tests. */
export function useReceiver(): Receiver {
  const waiting = new Set<() => void>();
  const receiver: Receiver = {
    origin: '',
    received: [],
    answer: () => 200,
    manifest: {},
    async wait(path, count) {
      for (;;) {
        const mine = receiver.received.filter((one) => one.path === path);
        if (mine.length >= count) return mine;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
  const server = http.createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const one: Received = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        rawHeaders: incoming.rawHeaders,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
      };
      receiver.received.push(one);
      waiting.forEach((resolve) => resolve());
      waiting.clear();
      void Promise.resolve(receiver.answer(one)).then((status) => {
        outgoing.writeHead(status, {
          'content-type': 'application/json',
          ...(status === 302 ? { location: '/elsewhere' } : {}),
        });
        outgoing.end(one.method === 'GET' ? JSON.stringify(receiver.manifest) : '{}');
      });
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    receiver.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}
