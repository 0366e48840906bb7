import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Part } from './find-secret.ts';

/** An OpenTelemetry collector (OTLP over HTTP, JSON) that keeps what it is sent, as it was sent. */
export async function startCollector(): Promise<{
  url: string;
  /** Everything of a signal. */
  received(signal: 'traces' | 'metrics'): Part;
  stop(): void;
}> {
  const kept: { path: string; body: Buffer }[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      kept.push({ path: request.url ?? '', body: Buffer.concat(chunks) });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: (signal) => ({
      where: signal,
      content: Buffer.concat(kept.filter(({ path }) => path === `/v1/${signal}`).map(({ body }) => body)),
    }),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
