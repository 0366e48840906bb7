import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { graphClient } from './graph-client.ts';

let server: WebSocketServer | undefined;
afterEach(() => {
  server?.close();
});

/** A graph that accepts subscriptions and sends `events` of them, then nothing more. */
async function silentGraph(events: readonly number[]): Promise<string> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const message = JSON.parse(String(data as Buffer)) as { type: string; id?: string };
      if (message.type === 'connection_init') socket.send(JSON.stringify({ type: 'connection_ack' }));
      if (message.type !== 'subscribe') return;
      for (const count of events)
        socket.send(JSON.stringify({ type: 'next', id: message.id, payload: { data: { count } } }));
    }),
  );
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

it('ends a subscription that stays silent at its deadline, with what came before', async () => {
  const graph = graphClient({ url: await silentGraph([1, 2]) });
  const seen: number[] = [];
  const follow = async () => {
    for await (const { count } of graph.subscribe<{ count: number }>(
      'subscription { count }',
      {},
      {
        deadlineMs: 300,
      },
    ))
      seen.push(count);
  };
  await expect(follow()).rejects.toThrow('did not end within 300 ms');
  expect(seen).toEqual([1, 2]);
  await graph.close();
});
