import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import { balanceAt } from './ledger/ledger-entries.store.ts';
import { sweep } from './reservations/reservations.store.ts';
import { codeOf, newRun, times, useLedger } from './testing/ledger.ts';

const ledger = useLedger();

/** Holds what a command of another process holds: works in a transaction of its own until `finish`. */
async function meanwhile(sql: string, values: unknown[] = []): Promise<{ finish(): Promise<void> }> {
  const client = new pg.Client({ connectionString: ledger.adminUrl, options: '-c search_path=billing' });
  await client.connect();
  await client.query('begin');
  await client.query(sql, values);
  return {
    async finish() {
      await client.query('commit');
      await client.end();
    },
  };
}

describe('reserving while somebody else is at work', () => {
  it('is not refused for credits that a sweep under way is giving back', async () => {
    await ledger.grant(credits(10));
    const dead = newRun();
    await ledger.authorize(dead);
    await ledger.makeDue(dead);
    const sweeper = await meanwhile('select sweep(100)');
    const asked = ledger.authorize();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await sweeper.finish();
    expect(codeOf(await asked)).toBe('ok');
  });

  it('is not refused for credits of a due reservation that is locked but not ended yet', async () => {
    await ledger.grant(credits(10));
    const dead = newRun();
    await ledger.authorize(dead);
    await ledger.makeDue(dead);
    const holder = await meanwhile('select from reservation where id = $1 for update', [dead]);
    const asked = ledger.authorize();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await holder.finish();
    expect(codeOf(await asked)).toBe('ok');
  });

  it('answers a refusal without what only the retry needs to know', async () => {
    await ledger.grant(credits(1));
    const refused = await ledger.authorize();
    expect(refused).toMatchObject({ error: { code: 'INSUFFICIENT_CREDITS' } });
    expect(Object.keys((refused as { error: { facts: object } }).error.facts).sort()).toEqual([
      'available',
      'missing',
      'required',
    ]);
  });
});

describe('extending', () => {
  it('adds the amount of one checkpoint once, however often it is told', async () => {
    await ledger.grant(credits(40));
    const runId = newRun();
    await ledger.authorize(runId);
    await times(4, () => ledger.extend(runId, { amount: credits(5), seq: 1 }));
    expect(await ledger.wallet()).toMatchObject({ reserved: '15000000' });
    expect(await ledger.extend(runId, { amount: credits(5), seq: 2 })).toMatchObject({
      value: { amount: '20000000', replayed: false },
    });
  });

  it('reclaims what is due before it refuses, but never the reservation it extends', async () => {
    await ledger.grant(credits(20));
    const [dead, alive] = [newRun(), newRun()];
    await ledger.authorize(dead);
    await ledger.authorize(alive);
    await ledger.makeDue(dead);
    await ledger.makeDue(alive);
    expect(await ledger.extend(alive, { amount: credits(5) })).toMatchObject({
      value: { amount: '15000000' },
    });
  });

  it('says that the wallet is frozen rather than empty', async () => {
    await ledger.grant(credits(40));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.admin.query("update wallet set state = 'FROZEN' where organization_id = $1", [
      ledger.organizationId,
    ]);
    expect(codeOf(await ledger.extend(runId, { amount: 1n }))).toBe('WALLET_FROZEN');
  });
});

describe('the same key with another body', () => {
  it('is answered as before when settling, and says that it differs', async () => {
    await ledger.grant(credits(20));
    const [runId, later] = [newRun(), newRun()];
    await ledger.authorize(runId);
    expect(await ledger.settle(runId, 100n)).toMatchObject({ value: { replayed: false, differs: false } });
    await ledger.authorize(later);
    await ledger.settle(later, 0n);
    const again = { charge: '2000000', balanceAfter: '18000000', balance: '17000000', replayed: true };
    expect(await ledger.settle(runId, 100n)).toMatchObject({ value: { ...again, differs: false } });
    expect(await ledger.settle(runId, 101n)).toMatchObject({ value: { ...again, differs: true } });
  });

  it('is known after a late settlement that booked nothing, too', async () => {
    await ledger.grant(credits(20));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.extend(runId, { tokens: 100n });
    await ledger.makeDue(runId);
    await ledger.sweep();
    for (const [tokens, differs] of [
      [100n, false],
      [100n, false],
      [99n, true],
    ] as const)
      expect(await ledger.settle(runId, tokens)).toMatchObject({ value: { charge: '2000000', differs } });
  });

  it('is answered as before when extending, and says that it differs', async () => {
    await ledger.grant(credits(20));
    const runId = newRun();
    await ledger.authorize(runId);
    for (const [tokens, replayed, differs] of [
      [100n, false, false],
      [100n, true, false],
      [200n, true, true],
    ] as const)
      expect(await ledger.extend(runId, { tokens })).toMatchObject({ value: { replayed, differs } });
    await ledger.makeDue(runId);
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '18000000' });
  });
});

describe('a grant whose time is over', () => {
  it('cannot be reserved from again when the run that counted on it gave it back', async () => {
    await ledger.grant(credits(10), 'TRIAL', { expiresAfterDays: 1 });
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.endGrants();
    await ledger.sweep();
    await ledger.release(runId);
    expect(codeOf(await ledger.authorize())).toBe('INSUFFICIENT_CREDITS');
  });
});

describe('settling late', () => {
  it('answers lines, transfers and balance that agree with the charge', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.extend(runId, { tokens: 50n });
    await ledger.makeDue(runId);
    await ledger.sweep();
    for (const replayed of [false, true]) {
      const settled = await ledger.settle(runId, 200n);
      expect(settled).toMatchObject({
        value: {
          ledgerEntryId: runId,
          charge: '3000000',
          balanceAfter: '7000000',
          replayed,
          usage: [
            { dimension: 'output_token', quantity: '200', amount: '2000000' },
            { dimension: 'run', quantity: '1', amount: '1000000' },
          ],
        },
      });
      const { transfers } = (settled as { value: { transfers: { amount: string }[] } }).value;
      expect(transfers.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(3_000_000n);
    }
  });
});

describe('the sweep', () => {
  it('is not stopped by one reservation that cannot be ended', async () => {
    await ledger.grant(credits(10));
    const poisoned = newRun();
    await ledger.authorize(poisoned);
    await ledger.extend(poisoned, { tokens: 77n });
    await ledger.makeDue(poisoned);
    await ledger.admin.query(
      'alter table usage_line add constraint planted check (quantity <> 77) not valid',
    );
    ledger.anotherOrganization();
    await ledger.grant(credits(10));
    const other = newRun();
    await ledger.authorize(other);
    await ledger.makeDue(other);
    const ended = await ledger
      .sweep()
      .finally(() => ledger.admin.query('alter table usage_line drop constraint planted'));
    expect(ended).toMatchObject({ reservations: 1, failures: [{ runId: poisoned }] });
    expect(await ledger.wallet()).toMatchObject({ balance: '10000000', reserved: '0' });
    await ledger.makeDue(poisoned);
    expect(await ledger.sweep()).toMatchObject({ reservations: 1, failures: [] });
  });

  it('leaves what cannot be ended alone for a while, so that it does not take the places of the rest', async () => {
    await ledger.grant(credits(10));
    const poisoned = newRun();
    await ledger.authorize(poisoned);
    await ledger.extend(poisoned, { tokens: 77n });
    await ledger.makeDue(poisoned);
    // A grant whose time is over and which cannot be ended either, of another organization.
    const stuck = ledger.anotherOrganization();
    await ledger.grant(credits(10), 'TRIAL', { expiresAfterDays: 1 });
    await ledger.endGrants();
    ledger.anotherOrganization();
    await ledger.grant(credits(10));
    const other = newRun();
    await ledger.authorize(other);
    await ledger.makeDue(other);
    const plant = `alter table usage_line add constraint planted check (quantity <> 77) not valid; alter table transfer add constraint planted check (code <> 'GRANT_EXPIRED') not valid`;
    const mend = `alter table usage_line drop constraint planted; alter table transfer drop constraint planted`;
    await ledger.admin.query(plant);
    try {
      const ended = [];
      for (const _ of [1, 2, 3]) ended.push(await sweep(ledger.database, 1));
      expect(ended).toMatchObject([
        { failures: [{ runId: poisoned }] },
        { failures: [{ organizationId: stuck }] },
        { reservations: 1, failures: [] },
      ]);
    } finally {
      await ledger.admin.query(mend);
    }
  });

  it('is not needed by others of the wallet: what cannot be ended keeps only its own credits', async () => {
    await ledger.grant(credits(20));
    const [poisoned, dead] = [newRun(), newRun()];
    for (const runId of [poisoned, dead]) await ledger.authorize(runId);
    await ledger.extend(poisoned, { tokens: 77n });
    for (const runId of [poisoned, dead]) await ledger.makeDue(runId);
    await ledger.admin.query(
      'alter table usage_line add constraint planted check (quantity <> 77) not valid',
    );
    const asked = await ledger
      .authorize()
      .finally(() => ledger.admin.query('alter table usage_line drop constraint planted'));
    expect(codeOf(asked)).toBe('ok');
  });
});

describe('a revoked top-up', () => {
  it('is paid back from what a run held of it, as soon as the run gives that back', async () => {
    await ledger.grant(credits(10), 'PAID', { key: 'pack' });
    const runId = newRun();
    await ledger.authorize(runId, { amount: credits(6) });
    expect(await ledger.clawBack('pack')).toMatchObject({
      value: { taken: '4000000', receivable: '6000000' },
    });
    await ledger.release(runId);
    expect(codeOf(await ledger.authorize(newRun(), { amount: credits(1) }))).toBe('INSUFFICIENT_CREDITS');
    await ledger.sweep();
    expect(await ledger.wallet()).toEqual({ balance: '0', reserved: '0', debt: '0' });
  });

  it('goes back to where it came from', async () => {
    await ledger.grant(credits(10), 'PROMO', { key: 'gift' });
    await ledger.clawBack('gift');
    const { rows } = await ledger.admin.query(
      "select credit_account, amount from transfer where organization_id = $1 and code = 'CLAWBACK'",
      [ledger.organizationId],
    );
    expect(rows).toEqual([{ credit_account: 'platform:promo', amount: '10000000' }]);
  });
});

it('knows the balance at the very moment that an entry shows', async () => {
  await ledger.grant(credits(10));
  const { rows } = await ledger.admin.query<{ at: Date }>(
    'select at from ledger_entry where organization_id = $1',
    [ledger.organizationId],
  );
  // A Date has milliseconds, the ledger microseconds.
  const read = (at: Date) =>
    ledger.database.transaction(systemScope('test'), (tx) => balanceAt(tx, ledger.organizationId, at));
  expect(await read(rows[0]!.at)).toBe(credits(10));
  expect(await read(new Date(rows[0]!.at.getTime() - 1))).toBe(0n);
});

describe('partitions', () => {
  it('show nothing when they are asked past their table', async () => {
    await ledger.grant(credits(1));
    const { rows } = await ledger.admin.query<{ name: string }>(
      'select tableoid::regclass::text as name from ledger_entry where organization_id = $1',
      [ledger.organizationId],
    );
    expect(await ledger.database.statement('past', `select id from ${rows[0]!.name}`)).toEqual([]);
  });

  it('are made for the months that can be, when one cannot', async () => {
    await ledger.admin.query('begin');
    try {
      const ahead = `to_char(now() at time zone 'UTC' + interval '5 months', 'YYYY_MM')`;
      await ledger.admin.query(
        `insert into transfer (entry_id, leg, organization_id, debit_account, credit_account, amount, code)
         values (uuid_at(date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' + interval '4 months 3 days'), 1, $1, 'external:cash', 'platform:revenue', 1, 'PLANTED')`,
        [ledger.organizationId],
      );
      await ledger.admin.query('select ensure_partitions(5)');
      const { rows } = await ledger.admin.query(
        `select to_regclass('transfer_' || ${ahead}) is not null as made`,
      );
      expect(rows).toEqual([{ made: true }]);
    } finally {
      await ledger.admin.query('rollback');
    }
  });
});
