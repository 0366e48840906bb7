import net from 'node:net';
import v8 from 'node:v8';
import vm from 'node:vm';
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

/** Asks for `/`, and gives what is answered as it comes. */
function ask({ port }: HttpServer): net.Socket {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  return socket;
}

const firstOf = (socket: net.Socket): Promise<string> =>
  new Promise((resolve) => socket.once('data', (chunk: Buffer | string) => resolve(String(chunk))));

it('tells that a client went away to whoever listens to a request that nobody holds any more', async () => {
  const gone = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<void>();
  const server = await serve({
    port: 0,
    log: silentLog,
    fetch({ signal }) {
      signal.addEventListener('abort', () => gone.resolve(signal.reason));
      begun.resolve();
      return new Promise(() => undefined);
    },
  });
  open.push(server);
  const socket = ask(server);
  await begun.promise;
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  socket.destroy();
  expect(await gone.promise).toMatchObject({ name: 'AbortError' });
});

it('sends an answer that is there in one piece, and the headers alone of one that is still to come', async () => {
  const goesOn = Promise.withResolvers<void>();
  const answers = [
    new Response('whole'),
    new Response(
      new ReadableStream({
        async pull(body) {
          await goesOn.promise;
          body.enqueue(new TextEncoder().encode('later'));
          body.close();
        },
      }),
    ),
  ];
  const server = await serve({ port: 0, log: silentLog, fetch: async () => answers.shift()! });
  open.push(server);
  expect(await firstOf(ask(server))).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n5\r\nwhole\r\n0\r\n\r\n$/);
  const slow = ask(server);
  expect(await firstOf(slow)).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n$/);
  goesOn.resolve();
  expect(await firstOf(slow)).toContain('later');
});
