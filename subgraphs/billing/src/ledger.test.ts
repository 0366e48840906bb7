import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import type { Database } from '@agentstore/kernel/db/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import { openTestDatabase, type TestDatabase } from '@agentstore/kernel/testing/database';
import { assertInvariants, invariantCount } from '../../../tests/invariants/assert-invariants.ts';
import { clawBack, topUp, type GrantKind } from './grants/grants.store.ts';
import { putRateCard } from './rate-cards/rate-cards.store.ts';
import { authorizeRun, extendRun, releaseRun, settleRun, sweep } from './reservations/reservations.store.ts';

let made: TestDatabase & { database: Database };
let admin: pg.Client;
const offeringId = uuidv7();
const instanceId = uuidv7();
let organizationId = uuidv7();

beforeAll(async () => {
  made = await openTestDatabase('billing');
  admin = new pg.Client({ connectionString: made.adminUrl, options: '-c search_path=billing' });
  await admin.connect();
  // 1 credit a run, 0.01 credit a token: prices are µcr per million units.
  await made.database.transaction(systemScope('test'), (tx) =>
    putRateCard(tx, {
      offeringId,
      reserve: credits(10),
      prices: { run: '1000000000000', output_token: '10000000000' },
    }),
  );
});
afterAll(async () => {
  await assertInvariants(made.adminUrl);
  await admin.end();
});
beforeEach(() => {
  organizationId = uuidv7();
});

const grant = (
  amount: bigint,
  kind: GrantKind = 'PAID',
  more: { key?: string; expiresAfterDays?: number } = {},
) =>
  topUp(
    made.database,
    {
      organizationId,
      credits: amount,
      kind,
      key: more.key ?? `t:${uuidv7()}`,
      expiresAfterDays: more.expiresAfterDays,
    },
    'test',
  );
const authorize = (
  runId = uuidv7(),
  more: { amount?: bigint; maxCharge?: bigint; ttlSeconds?: number; bodyHash?: string } = {},
) =>
  authorizeRun(made.database, {
    organizationId,
    runId,
    instanceId,
    offeringId,
    ttlSeconds: 60,
    bodyHash: 'h',
    ...more,
  });
const settle = (runId: string, tokens = 100n) =>
  settleRun(made.database, {
    organizationId,
    runId,
    actor: 'test',
    usage: [
      { dimension: 'run', quantity: 1n },
      { dimension: 'output_token', quantity: tokens },
    ],
  });
const wallet = async () =>
  (
    await admin.query<{ balance: string; reserved: string; debt: string }>(
      'select balance, reserved, debt from wallet where organization_id = $1',
      [organizationId],
    )
  ).rows[0]!;
const makeDue = (runId: string) =>
  admin.query("update reservation set expires_at = now() - interval '1 second' where id = $1", [runId]);
const codeOf = (outcome: { ok: boolean; error?: { code: string } }) =>
  outcome.ok ? 'ok' : outcome.error!.code;
const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));

it('reads every invariant of its file', () => expect(invariantCount).toBe(19));

describe('reserving', () => {
  it('never gives more than there is, however many ask at the same moment', async () => {
    await grant(credits(100));
    const outcomes = await times(64, () => authorize());
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(10);
    expect(await wallet()).toMatchObject({ balance: '100000000', reserved: '100000000' });
  });

  it('says what is missing, remembers no denial, and says conflict for the same run with another body', async () => {
    await grant(credits(4));
    const runId = uuidv7();
    expect(await authorize(runId)).toMatchObject({
      error: {
        code: 'INSUFFICIENT_CREDITS',
        facts: { required: '10000000', available: '4000000', missing: '6000000' },
      },
    });
    await grant(credits(6));
    expect(await authorize(runId)).toMatchObject({ value: { amount: '10000000', replayed: false } });
    expect(await authorize(runId)).toMatchObject({ value: { replayed: true } });
    expect(codeOf(await authorize(runId, { bodyHash: 'other' }))).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('refuses without a wallet, from a frozen one, without a rate card, and under an id of another day', async () => {
    expect(codeOf(await authorize())).toBe('WALLET_NOT_FOUND');
    await grant(credits(50));
    await admin.query("update wallet set state = 'FROZEN' where organization_id = $1", [organizationId]);
    expect(codeOf(await authorize())).toBe('WALLET_FROZEN');
    expect(
      codeOf(
        await authorizeRun(made.database, {
          organizationId,
          runId: uuidv7(),
          instanceId,
          offeringId: uuidv7(),
          ttlSeconds: 60,
          bodyHash: 'h',
        }),
      ),
    ).toBe('RATE_CARD_NOT_FOUND');
    expect(codeOf(await authorize('01900000-0000-7000-8000-000000000000'))).toBe('RUN_ID_OUT_OF_TIME');
  });

  it('reclaims what is due before it refuses', async () => {
    await grant(credits(10));
    const dead = uuidv7();
    await authorize(dead);
    await makeDue(dead);
    expect(codeOf(await authorize())).toBe('ok');
  });
});

describe('settling', () => {
  it('charges what was used and gives the rest back, once, whoever else asks', async () => {
    await grant(credits(20));
    const runId = uuidv7();
    await authorize(runId);
    const answers = await times(8, () => settle(runId));
    expect(
      new Set(answers.map((answer) => (answer.ok ? answer.value.ledgerEntryId : codeOf(answer)))),
    ).toEqual(new Set([runId]));
    expect(answers.filter((answer) => answer.ok && !answer.value.replayed)).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      value: {
        charge: '2000000',
        balanceAfter: '18000000',
        transfers: [{ creditAccount: 'platform:revenue', amount: '2000000', code: 'USAGE' }],
      },
    });
    expect(await wallet()).toMatchObject({ balance: '18000000', reserved: '0' });
  });

  it('burns trial credits first, then what ends first, then the oldest; trial credits are no revenue', async () => {
    await grant(credits(5), 'PAID');
    await grant(credits(5), 'PLAN', { expiresAfterDays: 30 });
    await grant(credits(1), 'TRIAL');
    const runId = uuidv7();
    await authorize(runId);
    const settled = await settle(runId, 300n);
    expect(settled).toMatchObject({
      value: {
        charge: '4000000',
        transfers: [
          { creditAccount: 'platform:revenue', amount: '3000000' },
          { creditAccount: 'platform:promo', amount: '1000000' },
        ],
      },
    });
    const left = await admin.query(
      'select kind, remaining from grants where organization_id = $1 order by kind',
      [organizationId],
    );
    expect(left.rows).toEqual([
      { kind: 'PAID', remaining: '5000000' },
      { kind: 'PLAN', remaining: '2000000' },
      { kind: 'TRIAL', remaining: '0' },
    ]);
  });

  it('books what neither reservation nor balance covers as debt, which the next top-up pays first', async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    expect(await settle(runId, 1_400n)).toMatchObject({ value: { charge: '15000000', balanceAfter: '0' } });
    expect(await wallet()).toMatchObject({ balance: '0', debt: '5000000' });
    await grant(credits(8));
    expect(await wallet()).toMatchObject({ balance: '3000000', debt: '0' });
  });

  it("never charges more than the run's own maximum", async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId, { maxCharge: credits(3) });
    expect(await settle(runId, 900n)).toMatchObject({
      value: { charge: '3000000', balanceAfter: '7000000' },
    });
  });

  it.each([true, false])('still settles a run whose reservation is due (swept before: %s)', async (swept) => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    await makeDue(runId);
    if (swept) await sweep(made.database, 10);
    expect(await settle(runId)).toMatchObject({ value: { charge: '2000000' } });
    await sweep(made.database, 10);
    expect(await wallet()).toMatchObject({ balance: '8000000', reserved: '0' });
  });

  it('settles a run whose owner died at its last checkpoint, and a late settlement books only the difference', async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    await extendRun(made.database, {
      organizationId,
      runId,
      amount: 0n,
      seq: 1,
      ttlSeconds: 60,
      usage: [{ dimension: 'run', quantity: 1n }],
    });
    await makeDue(runId);
    await sweep(made.database, 10);
    expect(await wallet()).toMatchObject({ balance: '9000000', reserved: '0' });
    expect(await settle(runId)).toMatchObject({ value: { charge: '2000000' } });
    expect(await wallet()).toMatchObject({ balance: '8000000' });
    expect(await settle(runId)).toMatchObject({ value: { replayed: true, charge: '2000000' } });
  });

  it('cannot charge what was released, and releasing twice gives back once', async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    await times(4, () => releaseRun(made.database, { organizationId, runId }));
    expect(await wallet()).toMatchObject({ balance: '10000000', reserved: '0' });
    expect(codeOf(await settle(runId))).toBe('RESERVATION_RELEASED');
  });

  it("does not find another organization's reservation", async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    const stranger = { organizationId: uuidv7(), runId };
    expect(codeOf(await settleRun(made.database, { ...stranger, usage: [], actor: 'x' }))).toBe(
      'RESERVATION_NOT_FOUND',
    );
    expect(codeOf(await releaseRun(made.database, stranger))).toBe('RESERVATION_NOT_FOUND');
  });

  it('leaves no half entry when it fails in the middle', async () => {
    await grant(credits(10));
    const runId = uuidv7();
    await authorize(runId);
    await admin.query('alter table usage_line add constraint planted check (quantity <> 77)');
    await expect(settle(runId, 77n)).rejects.toThrow(/planted/);
    await admin.query('alter table usage_line drop constraint planted');
    expect(await wallet()).toMatchObject({ balance: '10000000', reserved: '10000000' });
    expect(codeOf(await settle(runId, 77n))).toBe('ok');
  });
});

describe('extending', () => {
  it('raises the reservation while credits last, and never after it ended', async () => {
    await grant(credits(15));
    const runId = uuidv7();
    await authorize(runId);
    let seq = 0;
    const extend = (amount: bigint) =>
      extendRun(made.database, { organizationId, runId, amount, seq: ++seq, usage: [], ttlSeconds: 60 });
    expect(await extend(credits(5))).toMatchObject({ value: { amount: '15000000' } });
    expect(codeOf(await extend(1n))).toBe('INSUFFICIENT_CREDITS');
    await releaseRun(made.database, { organizationId, runId });
    expect(codeOf(await extend(0n))).toBe('RESERVATION_NOT_OPEN');
  });
});

describe('granting', () => {
  it('tops up once for 20 callers with one key, and says conflict for another amount under it', async () => {
    const answers = await times(20, () => grant(credits(1_000), 'PAID', { key: 'saleor:o:l' }));
    expect(answers.filter((answer) => answer.ok && !answer.value.replayed)).toHaveLength(1);
    expect(await wallet()).toMatchObject({ balance: '1000000000' });
    expect(codeOf(await grant(credits(2), 'PAID', { key: 'saleor:o:l' }))).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('takes a revoked top-up back: what is left now, the rest as debt, once', async () => {
    await grant(credits(20), 'PAID', { key: 'pack' });
    const runId = uuidv7();
    await authorize(runId);
    await settle(runId);
    const takeBack = () =>
      clawBack(made.database, { organizationId, key: 'refund', topUpKey: 'pack' }, 'test');
    const answers = await times(5, takeBack);
    for (const answer of answers)
      expect(answer).toMatchObject({ value: { taken: '18000000', receivable: '2000000' } });
    expect(await wallet()).toMatchObject({ balance: '0', debt: '2000000' });
    expect(
      codeOf(await clawBack(made.database, { organizationId, key: 'other', topUpKey: 'pack' }, 'test')),
    ).toBe('TOP_UP_NOT_FOUND');
  });

  it('grants a top-up or takes it back, whichever order the two come in, and never both', async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `crossing-${n}`);
    const answers = await Promise.all(
      keys.flatMap((key) => [
        grant(credits(5), 'PAID', { key }),
        clawBack(made.database, { organizationId, key: `revoke:${key}`, topUpKey: key }, 'test'),
      ]),
    );
    const refusals = answers.filter(({ ok }) => !ok).map(codeOf);
    expect(refusals.filter((code) => code !== 'TOP_UP_REVOKED')).toEqual([]);
    expect(await wallet()).toMatchObject({ balance: '0', debt: '0' });
    await clawBack(made.database, { organizationId, key: 'revoke:late', topUpKey: 'late' }, 'test');
    expect(codeOf(await grant(credits(5), 'PAID', { key: 'late' }))).toBe('TOP_UP_REVOKED');
    expect(await wallet()).toMatchObject({ balance: '0', debt: '0' });
  });

  it('ends a grant whose time is over, but never what an open reservation counts on', async () => {
    await grant(credits(12), 'TRIAL', { expiresAfterDays: 1 });
    const runId = uuidv7();
    await authorize(runId);
    await admin.query(
      "update grants set expires_at = now() - interval '1 minute' where organization_id = $1",
      [organizationId],
    );
    await sweep(made.database, 100);
    expect(await wallet()).toMatchObject({ balance: '10000000', reserved: '10000000' });
    expect(codeOf(await settle(runId))).toBe('ok');
    await sweep(made.database, 100);
    expect(await wallet()).toMatchObject({ balance: '0', reserved: '0' });
  });
});

it('refuses to change what was written', async () => {
  await grant(credits(1));
  await expect(admin.query('update transfer set amount = amount + 1')).rejects.toThrow(/append-only/);
  await expect(admin.query('delete from ledger_entry')).rejects.toThrow(/append-only/);
});
