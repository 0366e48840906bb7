import pg from 'pg';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { Database } from '@agentstore/kernel/db/database';
import { createLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import type { Deps } from '../deps.ts';
import { startPartitionKeeper } from './keep-partitions.task.ts';
import { dropOldDays } from './partitions.store.ts';

let db: Database;
let admin: pg.Client;
beforeAll(async () => {
  const made = await openTestDatabase('runs');
  db = made.database;
  admin = new pg.Client({ connectionString: made.adminUrl, options: '-c search_path=runs' });
  await admin.connect();
  return () => admin.end();
});

// No test goes on into another day: what is over on one was kept on the day before.
beforeEach(async () => {
  await admin.query(`select pg_sleep(left_seconds) from (
    select extract(epoch from date_trunc('day', now() at time zone 'UTC') + interval '1 day' - now() at time zone 'UTC') + 1 as left_seconds
  ) as day where left_seconds < 60`);
});

const dayBack = async (days: number): Promise<string> => {
  const { rows } = await admin.query<{ name: string }>(
    `select 'run_event_' || to_char((now() at time zone 'UTC')::date - $1::int, 'YYYY_MM_DD') as name, ensure_partition((now() at time zone 'UTC')::date - $1::int)`,
    [days],
  );
  return rows[0]!.name;
};
const days = async (): Promise<string[]> => {
  const { rows } = await admin.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = 'run_event'::regclass`,
  );
  return rows.map(({ name }) => name);
};

/** The first line that the keeper writes. */
async function firstLine(eventDays: number): Promise<unknown> {
  const line = Promise.withResolvers<string>();
  const log = createLog({ name: 'test', destination: { write: line.resolve } });
  const keeper = startPartitionKeeper({ db, log, eventDays } as Deps);
  const said = JSON.parse(await line.promise) as unknown;
  await keeper.stop();
  return said;
}

it('drops the days that are over, says so, and keeps the others and those to come', async () => {
  const [last, over, older] = [await dayBack(3), await dayBack(4), await dayBack(40)];
  const ahead = await days();
  expect(await firstLine(3)).toMatchObject({ msg: 'days of run events dropped', dropped: 2 });
  expect(await days()).toEqual(ahead.filter((name) => name !== over && name !== older));
  expect(await days()).toContain(last);
});

it('gives up on a day that somebody reads, and drops it when they are done', async () => {
  const over = await dayBack(9);
  await admin.query(`begin; select from ${over} limit 1`);
  await expect(dropOldDays(db, 3)).rejects.toMatchObject({ code: '55P03' });
  await admin.query('commit');
  expect(await dropOldDays(db, 3)).toBe(1);
  expect(await days()).not.toContain(over);
});
