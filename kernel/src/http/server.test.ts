import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { silentLog } from '../log.ts';
import { serve, type HttpServer } from './server.ts';

const open: HttpServer[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((server) => server.close(0)))));

it('lets a reader go who takes nothing any more, and ends what was read for them', async () => {
  const left = Promise.withResolvers<void>();
  const chunk = new Uint8Array(65_536);
  const server = await serve({
    fetch: async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(chunk),
          cancel: () => left.resolve(),
        }),
      ),
    port: 0,
    log: silentLog,
    stalledMs: 100,
  });
  open.push(server);
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.pause();
  await expect(left.promise).resolves.toBeUndefined();
  socket.resume();
  await expect(closed).resolves.toBeUndefined();
});
