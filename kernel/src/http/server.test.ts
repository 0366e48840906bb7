import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createLog, silentLog } from '../log.ts';
import { serve, type HttpServer } from './server.ts';

const open: HttpServer[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((server) => server.close(0)))));

it.each<[string, string]>([
  ['a malformed Host', 'GET / HTTP/1.1\r\nhost: a b\r\n'],
  ['a Host that is no name', 'GET / HTTP/1.1\r\nhost: [::1\r\n'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nhost: a\r\n'],
  ['a target that is no URL', 'GET http://:0/ HTTP/1.1\r\nhost: a\r\n'],
])('answers 400 to %s, and logs no fault', async (_name, head) => {
  let log = '';
  let reached = false;
  const server = await serve({
    port: 0,
    log: createLog({ name: 'test', destination: { write: (line: string) => void (log += line) } }),
    fetch: async () => ((reached = true), new Response()),
  });
  open.push(server);
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(`${head}connection: close\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"code":"BAD_REQUEST"');
  expect({ reached, log }).toEqual({ reached: false, log: '' });
});

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
