import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

/** A real HTTP server that counts what reaches it; what it answers is a test's own. */
export interface CountingUpstream {
  readonly origin: string;
  /** Connections that were made. */
  connections(): number;
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
  }[];
  answer(handler: Handler): void;
}

export const answerJson: (value: unknown) => Handler = (value) => (_request, response) =>
  void response.setHeader('content-type', 'application/json').end(JSON.stringify(value));

export async function openCountingUpstream(): Promise<CountingUpstream> {
  let connections = 0;
  let handler: Handler = answerJson({ found: true });
  const requests: CountingUpstream['requests'] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      handler(request, response, body);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    requests,
    answer: (next) => (handler = next),
  };
}
