import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { systemScope } from './access.ts';
import type { Database } from './db/database.ts';
import { silentLog } from './log.ts';
import { defineTask, openQueue, type Queue } from './queue.ts';
import { openTestDatabase, type TestDatabase } from './testing/database.ts';

const greet = defineTask({ name: 'greet', payload: z.object({ name: z.string() }), retries: 2 });
let made: TestDatabase & { database: Database };
let queue: Queue;
beforeAll(async () => {
  made = await openTestDatabase('billing');
  queue = await openQueue({ url: made.url, log: silentLog });
});
afterAll(() => queue.stop());

it('runs a job of a committed transaction, retries it, and never sees one that was rolled back', async () => {
  const seen: string[] = [];
  const finished = Promise.withResolvers<void>();
  await queue.work(greet, async ({ name }) => {
    seen.push(name);
    if (seen.length < 2) throw new Error('first try fails');
    finished.resolve();
  });
  const system = systemScope('test');
  await made.database
    .transaction(system, async (tx) => {
      await queue.enqueue(tx, greet, { name: 'rolled back' });
      throw new Error('no');
    })
    .catch(() => undefined);
  await made.database.transaction(system, (tx) => queue.enqueue(tx, greet, { name: 'kept' }));
  await finished.promise;
  expect(seen).toEqual(['kept', 'kept']);
});

it('refuses a payload of another shape before it is a job', async () => {
  await expect(
    made.database.transaction(systemScope('test'), (tx) => queue.enqueue(tx, greet, { name: 5 } as never)),
  ).rejects.toThrow(/expected string/);
});
