import { once } from 'node:events';
import net from 'node:net';
import { freePort } from '@agentstore/kernel/testing/free-port';

/** A free port whose listener has ended, and closed its last connection first: the system keeps that connection's address for a minute. */
export async function portInTimeWait(): Promise<number> {
  const port = await freePort();
  const server = net.createServer((socket) => void socket.end()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume();
  await once(client, 'end');
  client.end();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  return port;
}
