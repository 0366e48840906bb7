import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createLog } from '../log.ts';
import { serve } from './server.ts';

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
  onTestFinished(() => server.close(0));
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(`${head}connection: close\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"code":"BAD_REQUEST"');
  expect({ reached, log }).toEqual({ reached: false, log: '' });
});
