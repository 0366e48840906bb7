import { afterAll } from 'vitest';
import { serve, type BodyLimit, type HttpServer } from '../http/server.ts';
import { silentLog } from '../log.ts';

export { freePort } from './free-port.ts';

/** A real server around a fetch handler on a free port; closed after the file's tests. */
export async function listen(
  fetch: (request: Request) => Promise<Response>,
  bodies?: BodyLimit,
): Promise<HttpServer> {
  const server = await serve({ fetch, port: 0, log: silentLog, bodies });
  afterAll(() => server.close(0));
  return server;
}
