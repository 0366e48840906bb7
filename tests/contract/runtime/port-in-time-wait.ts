import { once } from 'node:events';
import net from 'node:net';

/** A port whose listener has ended, and closed its last connection first: the system keeps that connection's address for a minute. */
export async function portInTimeWait(): Promise<number> {
  const server = net.createServer((socket) => void socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume();
  await once(client, 'end');
  client.end();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  return port;
}
