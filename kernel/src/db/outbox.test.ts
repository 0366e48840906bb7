import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemScope } from '../access.ts';
import { createLog, silentLog } from '../log.ts';
import type { Loop } from '../loop.ts';
import { UnavailableError } from '../service-client.ts';
import { openTestDatabase } from '../testing/database.ts';
import type { Database } from './database.ts';
import { addToOutbox, parkedFacts, redrive, startRelay, type OutboxHandler } from './outbox.ts';

let database: Database;
const relays: Loop[] = [];
beforeAll(async () => {
  ({ database } = await openTestDatabase('billing'));
});
beforeEach(() => database.statement('empty', 'delete from outbox'));
afterEach(async () => void (await Promise.all(relays.splice(0).map((relay) => relay.stop()))));

const tell = (...keys: string[]) =>
  database.transaction(systemScope('test'), async (tx) => {
    for (const key of keys) await addToOutbox(tx, { topic: 'NoteMade', key, payload: { key } });
  });
const rows = () =>
  database.statement<{ key: string; attempts: number; refusals: number; parked: boolean }>(
    'rows',
    'select key, attempts, refusals, parked_reason is not null as parked from outbox order by id',
  );
/** As if the wait for the next attempt were over. */
const dueNow = () => database.statement('due', 'update outbox set next_attempt_at = now()');

function relay(handler: OutboxHandler, more: { maxRefusals?: number; log?: typeof silentLog } = {}): Loop {
  const started = startRelay({
    database,
    log: silentLog,
    pollMs: 10,
    handlers: { NoteMade: handler },
    ...more,
  });
  relays.push(started);
  return started;
}

it('delivers what was committed, again after a failure, and nothing that was rolled back', async () => {
  await database
    .transaction(systemScope('test'), async (tx) => {
      await addToOutbox(tx, { topic: 'NoteMade', key: 'lost', payload: {} });
      throw new Error('rolled back');
    })
    .catch(() => undefined);
  await tell('kept');
  const seen: string[] = [];
  relay(async ({ key, attempts }) => {
    seen.push(`${key}#${attempts}`);
    if (attempts === 0) throw new Error('not yet');
  });
  await expect.poll(() => rows()).toEqual([]);
  expect(seen).toEqual(['kept#0', 'kept#1']);
});

it('never parks a fact because its receiver is away, and delivers it when it is back', async () => {
  await tell('owed');
  let away = true;
  let asked = 0;
  relay(
    async () => {
      asked += 1;
      if (away) throw new UnavailableError('billing', 'connect ECONNREFUSED');
    },
    { maxRefusals: 2 },
  );
  for (let round = 1; round <= 5; round++) {
    await expect.poll(() => rows()).toEqual([{ key: 'owed', attempts: round, refusals: 0, parked: false }]);
    expect(asked).toBe(round);
    if (round === 5) away = false;
    await dueNow();
  }
  await expect.poll(() => rows()).toEqual([]);
});

it('still tries a fact that was tried for weeks', async () => {
  await tell('old');
  await database.statement('weeks', 'update outbox set attempts = 5000');
  relay(async () => {
    throw new UnavailableError('billing', 'away');
  });
  await expect.poll(() => rows()).toMatchObject([{ attempts: 5001, parked: false }]);
});

it('parks a fact that is refused again and again, says which, and delivers it once it was put back', async () => {
  await tell('refused', 'other');
  let line = '';
  let refuses = true;
  const delivered: string[] = [];
  relay(
    async ({ key }) => {
      if (key === 'refused' && refuses) throw new Error('409 TOP_UP_REVOKED');
      delivered.push(key);
    },
    {
      maxRefusals: 2,
      log: createLog({ name: 'test', destination: { write: (text) => void (line += text) } }),
    },
  );
  await expect.poll(() => rows()).toMatchObject([{ attempts: 1 }]);
  await dueNow();
  await expect
    .poll(() => parkedFacts(database))
    .toMatchObject([{ key: 'refused', topic: 'NoteMade', reason: '409 TOP_UP_REVOKED' }]);
  const [parked] = await parkedFacts(database);
  await expect.poll(() => line).toMatch(new RegExp(`"factId":"${parked!.id}".*"subject":"refused".*parked`));
  expect(delivered).toEqual(['other']);

  await dueNow();
  relays[0]!.wake();
  await tell('later');
  await expect.poll(() => delivered).toEqual(['other', 'later']); // the parked one was passed over
  refuses = false;
  expect(await redrive(database, [parked!.id])).toEqual([parked!.id]);
  await expect.poll(() => delivered).toEqual(['other', 'later', 'refused']);
  expect(await redrive(database, [parked!.id])).toEqual([]);
});

it('holds no lock while it delivers, and two relays never have the same fact', async () => {
  await tell('slow', 'next');
  const reached = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const seen: string[] = [];
  const handler: OutboxHandler = async ({ key }) => {
    seen.push(key);
    if (key !== 'slow') return;
    reached.resolve();
    await answer.promise;
  };
  relay(handler);
  await reached.promise;
  relay(handler);
  await expect.poll(() => seen).toEqual(['slow', 'next']);
  await database.statement('free', `select from outbox where key = 'slow' for update nowait`);
  answer.resolve();
  await expect.poll(() => rows()).toEqual([]);
  expect(seen).toEqual(['slow', 'next']);
});

it('takes over what a relay that died had claimed, when its lease is over', async () => {
  await tell('claimed');
  const reached = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  relay(async () => {
    reached.resolve();
    await answer.promise; // as good as dead
  });
  await reached.promise;
  await dueNow();
  const seen: string[] = [];
  relay(async ({ key }) => void seen.push(key));
  await expect.poll(() => seen).toEqual(['claimed']);
  answer.resolve();
});
