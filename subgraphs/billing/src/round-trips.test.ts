import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import type { Tx } from '@agentstore/kernel/db/database';
import { toGlobalId } from '@agentstore/kernel/ids';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { balanceAt } from './ledger/ledger-entries.store.ts';
import { reservationsOf } from './reservations/reservations.store.ts';
import { useBillingApp } from './testing/billing-app.ts';
import { newRun, useLedger } from './testing/ledger.ts';

const ledger = useLedger();
const billing = useBillingApp(ledger);

/** How often work asks PostgreSQL; what the app asks meanwhile for itself does not count. */
async function tripsOf(work: () => Promise<unknown>): Promise<number> {
  const ours = new AsyncLocalStorage<true>();
  const { query } = pg.Client.prototype;
  let trips = 0;
  const asked = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...given: unknown[]
  ) {
    if (ours.getStore()) trips += 1;
    return Reflect.apply(query, this, given);
  } as never);
  try {
    await ours.run(true, work);
    return trips;
  } finally {
    asked.mockRestore();
  }
}

describe('a command on money', () => {
  it('is one round trip: authorize, extend, settle, release', async () => {
    await ledger.grant(credits(100));
    const [runId, unused] = [newRun(), newRun()];
    await ledger.authorize(unused);
    const outcomes: boolean[] = [];
    for (const command of [
      () => ledger.authorize(runId),
      () => ledger.extend(runId, { tokens: 2_000n }),
      () => ledger.settle(runId),
      () => ledger.release(unused),
    ])
      expect(await tripsOf(async () => outcomes.push((await command()).ok))).toBe(1);
    expect(outcomes).toEqual([true, true, true, true]);
  });
});

describe('a page of entries', () => {
  it('with transfers, usage and charges is read in as many trips, however many it has', async () => {
    await ledger.grant(credits(100));
    for (let run = 0; run < 6; run++) {
      const runId = newRun();
      await ledger.authorize(runId);
      await ledger.settle(runId);
    }
    const page = (first: number) => async () => {
      const { data, errors } = await billing.graph<{ wallet: { ledgerEntries: { edges: object[] } } }>(
        userCaller([{ organizationId: ledger.organizationId, role: 'MEMBER' }]),
        `query ($id: ID!, $first: Int) { wallet(organizationId: $id) { ledgerEntries(first: $first) {
           edges { node { transfers { amount } usage { amount } run { charge } } } } } }`,
        { id: toGlobalId('Organization', ledger.organizationId), first },
      );
      expect(errors).toBeUndefined();
      expect(data!.wallet.ledgerEntries.edges).toHaveLength(first);
      expect(JSON.stringify(data)).not.toMatch(/null|\[\]/);
    };
    await page(1)();
    const ofOne = await tripsOf(page(1));
    expect(ofOne).toBeGreaterThan(1);
    expect(await tripsOf(page(6))).toBe(ofOne);
  });
});

describe('a plan', () => {
  /** The plan of what a store reads once its statement is prepared, on a table so large that it is never read in whole. */
  async function planOf(read: (tx: Tx) => Promise<unknown>): Promise<string> {
    const lines: string[] = [];
    await ledger.admin.query('begin; set local enable_seqscan = off; set local enable_bitmapscan = off');
    try {
      const sql = async (text: string) => {
        const { rows } = await ledger.admin.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`);
        lines.push(...rows.map((row) => row['QUERY PLAN']));
        return [];
      };
      await read({ scope: systemScope('test'), sql } as unknown as Tx);
      return lines.join('\n');
    } finally {
      await ledger.admin.query('rollback');
    }
  }

  it('of the balance at an instant is one probe of an index', async () => {
    const plan = await planOf((tx) => balanceAt(tx, ledger.organizationId, new Date()));
    expect(plan).toMatch(/Index Scan using ledger_entry_\w+_at/);
    expect(plan).not.toMatch(/Filter|->  Sort/);
  });

  it('of open reservations uses the index that has only those', async () => {
    const plan = await planOf((tx) => reservationsOf(tx, ledger.organizationId, ['OPEN']));
    expect(plan).not.toMatch(/Filter|->  Sort/);
  });
});
