import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { silentLog } from '../log.ts';
import { openTestDatabase } from '../testing/database.ts';
import type { Database } from './database.ts';
import { createListener } from './listener.ts';

let database: Database;
let admin: pg.Client;
beforeAll(async () => {
  const made = await openTestDatabase('billing');
  database = made.database;
  admin = new pg.Client({ connectionString: made.adminUrl });
  await admin.connect();
});
afterAll(() => admin.end());

const listening = async (): Promise<number[]> =>
  (
    await admin.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    )
  ).rows.map(({ pid }) => pid);

it('hears again after its connection was lost, and tells of the gap', async () => {
  const heard: string[] = [];
  let gaps = 0;
  const listener = createListener({
    database,
    channels: ['bell'],
    onNotify: (_channel, payload) => void heard.push(payload),
    onGap: () => void (gaps += 1),
    log: silentLog,
  });
  await listener.start();
  await admin.query(`notify bell, 'one'`);
  await expect.poll(() => heard).toEqual(['one']);
  const [pid] = await listening();
  await admin.query('select pg_terminate_backend($1)', [pid]);
  await expect.poll(() => gaps).toBe(2);
  await admin.query(`notify bell, 'two'`);
  await expect.poll(() => heard).toEqual(['one', 'two']);
  await listener.stop();
  await expect.poll(() => listening()).toEqual([]);
});

it('leaves no connection behind when it is stopped while it is connecting', async () => {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let gaps = 0;
  const listener = createListener({
    database: {
      ...database,
      connect: async () => {
        const client = await database.connect();
        reached.resolve();
        await go.promise;
        return client;
      },
    },
    channels: ['bell'],
    onNotify: () => undefined,
    onGap: () => void (gaps += 1),
    log: silentLog,
  });
  const started = listener.start();
  await reached.promise;
  const stopped = listener.stop();
  go.resolve();
  await Promise.all([started, stopped]);
  expect(gaps).toBe(0);
  await expect.poll(() => listening()).toEqual([]);
});

it('leaves no connection behind when it may not listen', async () => {
  const ended: unknown[] = [];
  const listener = createListener({
    database: {
      ...database,
      connect: async () => {
        const client = await database.connect();
        const end = client.end.bind(client);
        vi.spyOn(client, 'end').mockImplementation(async () => {
          ended.push(client);
          await end();
        });
        return client;
      },
    },
    channels: ['not a channel'],
    onNotify: () => undefined,
    onGap: () => undefined,
    log: silentLog,
  });
  await expect(listener.start()).rejects.toThrow(/syntax error/);
  expect(ended).toHaveLength(1);
  await listener.stop();
});
