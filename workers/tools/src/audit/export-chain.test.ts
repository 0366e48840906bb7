import { beforeAll, expect, it } from 'vitest';
import type { Database } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { someDecision } from '../testing/audit-records.ts';
import { genesisHash, verifyChain } from './audit-chain.ts';
import { createAuditLog } from './audit-log.ts';
import { exportChain } from './export-chain.ts';

let db: Database;
beforeAll(async () => {
  db = (await openTestDatabase('tools')).database;
});

it('exports a chain without records as its head', async () => {
  expect((await exportChain(db).next()).value).toEqual({ head: { seq: 0n, hash: genesisHash } });
  expect(await verifyChain(exportChain(db))).toMatchObject({ records: 0, fault: undefined });
});

it('reads a chain of several pages whole, and ranges that end with a page or with the chain', async () => {
  const log = createAuditLog({ db, log: silentLog, deadlineMs: 20_000, mostWaiting: 3_000 });
  await Promise.all(Array.from({ length: 2_000 }, () => log.decided(someDecision())));
  for (const [from, to, records] of [
    [undefined, undefined, 2_000],
    [1n, 1_000n, 1_000],
    [1n, 2_000n, 2_000],
    [5n, 1_004n, 1_000],
    [1_999n, 9_000n, 2],
  ] as const)
    expect(await verifyChain(exportChain(db, { from, to }))).toMatchObject({ records, fault: undefined });
});

it('reads records beyond a head that was put back, so that it is seen to differ', async () => {
  const shortened: Database = {
    ...db,
    transaction: async (scope, work) => {
      const read = await db.transaction(scope, work);
      return { ...read, head: { seq: 0n, hash: genesisHash } };
    },
  };
  expect(await verifyChain(exportChain(shortened))).toMatchObject({
    records: 2_000,
    fault: { code: 'HEAD' },
  });
});
