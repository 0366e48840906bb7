import { describe, expect, it } from 'vitest';
import { callerScope, systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { invariantCount } from '../../../tests/invariants/assert-invariants.ts';
import { grantsOf } from './grants/grants.store.ts';
import { putRateCard } from './rate-cards/rate-cards.store.ts';
import { authorizeRun, releaseRun, settleRun } from './reservations/reservations.store.ts';
import { codeOf, newRun, times, useLedger } from './testing/ledger.ts';

const ledger = useLedger();

it('reads every invariant of its file', () => expect(invariantCount).toBe(20));

describe('reserving', () => {
  it('never gives more than there is, however many ask at the same moment', async () => {
    await ledger.grant(credits(100));
    const outcomes = await times(64, () => ledger.authorize());
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(10);
    expect(await ledger.wallet()).toMatchObject({ balance: '100000000', reserved: '100000000' });
  });

  it('says what is missing, remembers no denial, and says conflict for the same run with another body', async () => {
    await ledger.grant(credits(4));
    const runId = newRun();
    expect(await ledger.authorize(runId)).toMatchObject({
      error: {
        code: 'INSUFFICIENT_CREDITS',
        facts: { required: '10000000', available: '4000000', missing: '6000000' },
      },
    });
    await ledger.grant(credits(6));
    expect(await ledger.authorize(runId)).toMatchObject({ value: { amount: '10000000', replayed: false } });
    expect(await ledger.authorize(runId)).toMatchObject({ value: { replayed: true } });
    expect(codeOf(await ledger.authorize(runId, { bodyHash: 'other' }))).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('says with a debt what a top-up must bring, which pays the debt first', async () => {
    await ledger.grant(credits(12));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.settle(runId, 1_400n);
    expect(await ledger.wallet()).toMatchObject({ balance: '0', debt: '3000000' });
    expect(await ledger.authorize()).toMatchObject({
      error: { facts: { available: '0', missing: '13000000' } },
    });
    await ledger.grant(credits(13) - 1n);
    expect(codeOf(await ledger.authorize())).toBe('INSUFFICIENT_CREDITS');
    await ledger.grant(1n);
    expect(codeOf(await ledger.authorize())).toBe('ok');
  });

  it('refuses without a wallet, from a frozen one, without a rate card, and under an id of another day', async () => {
    expect(await ledger.authorize()).toMatchObject({
      error: {
        code: 'WALLET_NOT_FOUND',
        facts: { required: '10000000', available: '0', missing: '10000000' },
      },
    });
    await ledger.grant(credits(50));
    await ledger.admin.query("update wallet set state = 'FROZEN' where organization_id = $1", [
      ledger.organizationId,
    ]);
    expect(codeOf(await ledger.authorize())).toBe('WALLET_FROZEN');
    expect(
      codeOf(
        await authorizeRun(ledger.database, {
          organizationId: ledger.organizationId,
          runId: newRun(),
          instanceId: ledger.instanceId,
          offeringId: newRun(),
          ttlSeconds: 60,
          bodyHash: 'h',
        }),
      ),
    ).toBe('RATE_CARD_NOT_FOUND');
    expect(codeOf(await ledger.authorize('01900000-0000-7000-8000-000000000000'))).toBe('RUN_ID_OUT_OF_TIME');
  });

  it('reclaims what is due before it refuses', async () => {
    await ledger.grant(credits(10));
    const dead = newRun();
    await ledger.authorize(dead);
    await ledger.makeDue(dead);
    expect(codeOf(await ledger.authorize())).toBe('ok');
  });
});

describe('settling', () => {
  it('charges what was used and gives the rest back, once, whoever else asks', async () => {
    await ledger.grant(credits(20));
    const runId = newRun();
    await ledger.authorize(runId);
    const answers = await times(8, () => ledger.settle(runId));
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
    expect(await ledger.wallet()).toMatchObject({ balance: '18000000', reserved: '0' });
  });

  it('burns grants kind by kind, trial credits first; those are no revenue', async () => {
    await ledger.grant(credits(5), 'PAID', { expiresAfterDays: 1 });
    await ledger.grant(credits(5), 'PLAN', { expiresAfterDays: 30 });
    await ledger.grant(credits(1), 'TRIAL');
    const runId = newRun();
    await ledger.authorize(runId);
    const settled = await ledger.settle(runId, 300n);
    expect(settled).toMatchObject({
      value: {
        charge: '4000000',
        transfers: [
          { creditAccount: 'platform:revenue', amount: '3000000' },
          { creditAccount: 'platform:promo', amount: '1000000' },
        ],
      },
    });
    const left = await ledger.admin.query(
      'select kind, remaining from grants where organization_id = $1 order by kind',
      [ledger.organizationId],
    );
    expect(left.rows).toEqual([
      { kind: 'PAID', remaining: '5000000' },
      { kind: 'PLAN', remaining: '2000000' },
      { kind: 'TRIAL', remaining: '0' },
    ]);
  });

  it('burns grants of one kind by their end, then by their age, what has ended last; they are listed so', async () => {
    // Given in another order than they are burnt in, so that neither the order of rows nor of ids will do.
    for (const [key, expiresAfterDays] of [
      ['ended', 1],
      ['never', undefined],
      ['later', 60],
      ['same end, younger', 30],
      ['same end, older', 30],
      ['sooner', 10],
    ] as const)
      await ledger.grant(credits(2), 'PAID', { key, ...(expiresAfterDays ? { expiresAfterDays } : {}) });
    // Runs hold all of it before one of them ends: what has ended is spent only by whom it was held for.
    const runs = Array.from({ length: 6 }, newRun);
    for (const runId of runs) await ledger.authorize(runId, { amount: credits(2) });
    await ledger.admin.query(
      `update grants set expires_at = case when source_key like 'same end%' then date_trunc('day', expires_at) when source_key = 'ended' then now() - interval '1 minute' else expires_at end,
         effective_at = effective_at - case when source_key like '%older' then interval '1 hour' else interval '0' end where organization_id = $1`,
      [ledger.organizationId],
    );
    await ledger.admin.query('update wallet set next_expiry = now() where organization_id = $1', [
      ledger.organizationId,
    ]);
    const order = ['sooner', 'same end, older', 'same end, younger', 'later', 'never', 'ended'];
    const listed = await ledger.database.transaction(systemScope('test'), (tx) =>
      grantsOf(tx, ledger.organizationId, true),
    );
    expect(listed.map(({ source }) => source)).toEqual(order);
    const burnt: string[] = [];
    for (const runId of runs) {
      await ledger.settle(runId);
      const { rows } = await ledger.admin.query<{ key: string }>(
        'select g.source_key as key from grant_draw d join grants g on g.id = d.grant_id where d.entry_id = $1',
        [runId],
      );
      burnt.push(...rows.map(({ key }) => key));
    }
    expect(burnt).toEqual(order);
  });

  it('settles whatever the clock says of when its grants were given', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.admin.query(
      "update grants set effective_at = now() + interval '5 seconds' where organization_id = $1",
      [ledger.organizationId],
    );
    expect(codeOf(await ledger.settle(runId))).toBe('ok');
  });

  it('books what neither reservation nor balance covers as debt, which the next top-up pays first', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    expect(await ledger.settle(runId, 1_400n)).toMatchObject({
      value: { charge: '15000000', balanceAfter: '0' },
    });
    expect(await ledger.wallet()).toMatchObject({ balance: '0', debt: '5000000' });
    await ledger.grant(credits(8));
    expect(await ledger.wallet()).toMatchObject({ balance: '3000000', debt: '0' });
  });

  it.each([true, false])('still settles a run whose reservation is due (swept before: %s)', async (swept) => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.makeDue(runId);
    if (swept) await ledger.sweep();
    expect(await ledger.settle(runId)).toMatchObject({ value: { charge: '2000000' } });
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '8000000', reserved: '0' });
  });

  it('settles a run whose owner died at its last checkpoint, and a late settlement books only the difference', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.extend(runId);
    await ledger.makeDue(runId);
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '9000000', reserved: '0' });
    expect(await ledger.settle(runId)).toMatchObject({ value: { charge: '2000000' } });
    expect(await ledger.wallet()).toMatchObject({ balance: '8000000' });
    expect(await ledger.settle(runId)).toMatchObject({ value: { replayed: true, charge: '2000000' } });
  });

  it('cannot charge what was released, and releasing twice gives back once', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await times(4, () => ledger.release(runId));
    expect(await ledger.wallet()).toMatchObject({ balance: '10000000', reserved: '0' });
    expect(codeOf(await ledger.settle(runId))).toBe('RESERVATION_RELEASED');
  });

  it("does not find another organization's reservation", async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    const stranger = { organizationId: newRun(), runId };
    expect(codeOf(await settleRun(ledger.database, { ...stranger, usage: [], actor: 'x' }))).toBe(
      'RESERVATION_NOT_FOUND',
    );
    expect(codeOf(await releaseRun(ledger.database, stranger))).toBe('RESERVATION_NOT_FOUND');
  });

  it('leaves no half entry when it fails in the middle', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.admin.query('alter table usage_line add constraint planted check (quantity <> 77)');
    await expect(ledger.settle(runId, 77n)).rejects.toThrow(/planted/);
    await ledger.admin.query('alter table usage_line drop constraint planted');
    expect(await ledger.wallet()).toMatchObject({ balance: '10000000', reserved: '10000000' });
    expect(codeOf(await ledger.settle(runId, 77n))).toBe('ok');
  });
});

describe('extending', () => {
  it('raises the reservation while credits last, and never after it ended', async () => {
    await ledger.grant(credits(15));
    const runId = newRun();
    await ledger.authorize(runId);
    let seq = 0;
    const extend = (amount: bigint) => ledger.extend(runId, { amount, seq: ++seq });
    expect(await extend(credits(5))).toMatchObject({ value: { amount: '15000000' } });
    expect(codeOf(await extend(1n))).toBe('INSUFFICIENT_CREDITS');
    await ledger.release(runId);
    expect(codeOf(await extend(0n))).toBe('RESERVATION_NOT_OPEN');
  });

  it('raises the reservation to the price of what was used, and by nothing while that is covered', async () => {
    await ledger.grant(credits(30));
    const runId = newRun();
    await ledger.authorize(runId);
    expect(await ledger.extend(runId, { tokens: 900n, seq: 1 })).toMatchObject({
      value: { amount: '10000000' },
    });
    expect(await ledger.extend(runId, { tokens: 1_500n, seq: 2 })).toMatchObject({
      value: { amount: '16000000' },
    });
    expect(await ledger.wallet()).toMatchObject({ reserved: '16000000' });
  });

  it('covers what the run would be charged, while a lost one is charged its checkpoint', async () => {
    await ledger.grant(credits(30));
    const runId = newRun();
    await ledger.authorize(runId);
    expect(await ledger.extend(runId, { tokens: 100n, cover: 1_500n })).toMatchObject({
      value: { amount: '16000000' },
    });
    await ledger.makeDue(runId);
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '28000000', reserved: '0' });
  });

  it('keeps the reservation and the checkpoint when it cannot be raised, and raises it under the same seq after a top-up', async () => {
    await ledger.grant(credits(10));
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.makeDue(runId);
    const told = () => ledger.extend(runId, { tokens: 1_100n, seq: 1 });
    expect(await told()).toMatchObject({
      error: { code: 'INSUFFICIENT_CREDITS', facts: { required: '2000000', missing: '2000000' } },
    });
    expect(await ledger.sweep()).toMatchObject({ reservations: 0 });
    await ledger.grant(credits(2));
    expect(await told()).toMatchObject({ value: { amount: '12000000', replayed: false } });
    expect(await told()).toMatchObject({ value: { amount: '12000000', replayed: true } });
    await ledger.makeDue(runId);
    await ledger.sweep();
    expect(await ledger.wallet()).toEqual({ balance: '0', reserved: '0', debt: '0' });
  });
});

describe("a run's own maximum", () => {
  it('is refused below what is reserved, with the least that is possible', async () => {
    await ledger.grant(credits(100));
    const runId = newRun();
    for (const maxCharge of [1n, credits(10) - 1n])
      expect(await ledger.authorize(runId, { maxCharge })).toMatchObject({
        error: { code: 'MAX_CHARGE_TOO_LOW', facts: { required: '10000000' } },
      });
    expect(await ledger.wallet()).toMatchObject({ reserved: '0' });
    expect(codeOf(await ledger.authorize(runId, { maxCharge: credits(10) }))).toBe('ok');
  });

  it('stays as it was answered when the offering reserves more from then on', async () => {
    await ledger.grant(credits(100));
    const runId = newRun();
    const authorize = (offeringId: string) =>
      authorizeRun(ledger.database, {
        organizationId: ledger.organizationId,
        runId,
        instanceId: ledger.instanceId,
        offeringId,
        maxCharge: credits(10),
        ttlSeconds: 60,
        bodyHash: 'h',
      });
    const offeringId = newRun();
    const price = (reserve: bigint) =>
      ledger.database.transaction(systemScope('test'), (tx) =>
        putRateCard(tx, { offeringId, reserve, prices: { run: '1' } }),
      );
    await price(credits(10));
    expect(await authorize(offeringId)).toMatchObject({ value: { replayed: false } });
    await price(credits(11));
    expect(await authorize(offeringId)).toMatchObject({ value: { replayed: true, amount: '10000000' } });
  });

  it('is all that is charged; the store bears the rest, and the books show it', async () => {
    await ledger.grant(credits(20));
    const runId = newRun();
    await ledger.authorize(runId, { maxCharge: credits(12) });
    expect(await ledger.settle(runId, 1_400n)).toMatchObject({
      value: {
        charge: '12000000',
        balanceAfter: '8000000',
        usage: [{ amount: '14000000' }, { amount: '1000000' }],
        transfers: [
          { creditAccount: 'platform:revenue', amount: '12000000', code: 'USAGE' },
          {
            debitAccount: 'platform:absorbed',
            creditAccount: 'platform:revenue',
            amount: '3000000',
            code: 'ABOVE_MAX_CHARGE',
          },
        ],
      },
    });
    expect(await ledger.wallet()).toEqual({ balance: '8000000', reserved: '0', debt: '0' });
  });

  it('is said to be reached once more than it was used, with the reservation raised to it', async () => {
    await ledger.grant(credits(100));
    const runId = newRun();
    await ledger.authorize(runId, { maxCharge: credits(12) });
    expect(await ledger.extend(runId, { tokens: 1_100n, seq: 1 })).toMatchObject({
      value: { amount: '12000000' },
    });
    expect(await ledger.extend(runId, { tokens: 1_101n, seq: 2 })).toMatchObject({
      error: {
        code: 'MAX_CHARGE_REACHED',
        facts: { required: '12010000', maxCharge: '12000000' },
      },
    });
    expect(await ledger.wallet()).toMatchObject({ reserved: '12000000' });
  });

  it('holds for a run that was swept above it and settled later, too', async () => {
    await ledger.grant(credits(100));
    const runId = newRun();
    await ledger.authorize(runId, { maxCharge: credits(12) });
    await ledger.extend(runId, { tokens: 1_200n });
    await ledger.makeDue(runId);
    await ledger.sweep();
    expect(await ledger.settle(runId, 1_500n)).toMatchObject({
      value: {
        charge: '12000000',
        balanceAfter: '88000000',
        transfers: [
          { code: 'USAGE', amount: '12000000' },
          { code: 'ABOVE_MAX_CHARGE', amount: '1000000' },
          { code: 'ABOVE_MAX_CHARGE', amount: '3000000' },
        ],
      },
    });
  });
});

describe('granting', () => {
  it('tops up once for 20 callers with one key, and says conflict for another amount under it', async () => {
    const answers = await times(20, () => ledger.grant(credits(1_000), 'PAID', { key: 'saleor:o:l' }));
    expect(answers.filter((answer) => answer.ok && !answer.value.replayed)).toHaveLength(1);
    expect(await ledger.wallet()).toMatchObject({ balance: '1000000000' });
    expect(codeOf(await ledger.grant(credits(2), 'PAID', { key: 'saleor:o:l' }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
  });

  it('takes a revoked top-up back: what is left now, the rest as debt, once', async () => {
    await ledger.grant(credits(20), 'PAID', { key: 'pack' });
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.settle(runId);
    const takeBack = () => ledger.clawBack('pack', 'refund');
    const answers = await times(5, takeBack);
    for (const answer of answers)
      expect(answer).toMatchObject({ value: { taken: '18000000', receivable: '2000000' } });
    expect(await ledger.wallet()).toMatchObject({ balance: '0', debt: '2000000' });
    expect(codeOf(await ledger.clawBack('pack', 'other'))).toBe('TOP_UP_NOT_FOUND');
  });

  it('grants a top-up or takes it back, whichever order the two come in, and never both', async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `crossing-${n}`);
    const answers = await Promise.all(
      keys.flatMap((key) => [ledger.grant(credits(5), 'PAID', { key }), ledger.clawBack(key)]),
    );
    const refusals = answers.filter(({ ok }) => !ok).map(codeOf);
    expect(refusals.filter((code) => code !== 'TOP_UP_REVOKED')).toEqual([]);
    expect(await ledger.wallet()).toMatchObject({ balance: '0', debt: '0' });
    await ledger.clawBack('late');
    expect(codeOf(await ledger.grant(credits(5), 'PAID', { key: 'late' }))).toBe('TOP_UP_REVOKED');
    expect(await ledger.wallet()).toMatchObject({ balance: '0', debt: '0' });
  });

  it('ends a grant whose time is over, but never what an open reservation counts on', async () => {
    await ledger.grant(credits(12), 'TRIAL', { expiresAfterDays: 1 });
    const runId = newRun();
    await ledger.authorize(runId);
    await ledger.endGrants();
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '10000000', reserved: '10000000' });
    expect(codeOf(await ledger.settle(runId))).toBe('ok');
    await ledger.sweep();
    expect(await ledger.wallet()).toMatchObject({ balance: '0', reserved: '0' });
  });
});

describe('what was written', () => {
  it('cannot be changed, not even by its owner', async () => {
    await ledger.grant(credits(1));
    await expect(ledger.admin.query('update transfer set amount = amount + 1')).rejects.toThrow(
      /append-only/,
    );
    await expect(ledger.admin.query('delete from ledger_entry')).rejects.toThrow(/append-only/);
  });

  it.each(['ledger_entry', 'transfer', 'usage_line', 'grant_draw', 'rate_card'])(
    'is not for the application to change: %s',
    async (table) => {
      const column = table === 'rate_card' ? 'version' : 'organization_id';
      for (const sql of [
        `update ${table} set ${column} = ${column}`,
        `delete from ${table}`,
        `truncate ${table}`,
      ])
        await expect(ledger.database.statement(sql, sql)).rejects.toThrow(/permission denied/);
    },
  );

  it('in accounts of an organization is seen by that organization alone', async () => {
    await ledger.grant(credits(1));
    const accounts = async (organizationId: string) =>
      (
        await ledger.database.transaction(
          callerScope(userCaller([{ organizationId, role: 'MEMBER' }]), 'wallet:read'),
          (tx) => tx.sql<{ id: string }>('select id from ledger_account order by id'),
        )
      ).map(({ id }) => id);
    const shared = [
      'external:cash',
      'platform:absorbed',
      'platform:breakage',
      'platform:promo',
      'platform:revenue',
    ];
    const { organizationId } = ledger;
    expect(await accounts(organizationId)).toEqual(
      [...shared, `receivable:${organizationId}`, `wallet:${organizationId}`].sort(),
    );
    expect(await accounts(newRun())).toEqual(shared);
  });
});
