import net from 'node:net';
import { afterAll } from 'vitest';
import { serve, type HttpServer } from '../http/server.ts';
import { silentLog } from '../log.ts';

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** A real server around a fetch handler on a free port; closed after the file's tests. */
export async function listen(fetch: (request: Request) => Promise<Response>): Promise<HttpServer> {
  const server = await serve({ fetch, port: 0, log: silentLog });
  afterAll(() => server.close(0));
  return server;
}
