import { describe, expect, it } from 'vitest';
import { credits } from '@agentstore/kernel/credits';
import { startOfPeriod } from './ledger/spend-period.ts';
import { useLedger } from './testing/ledger.ts';
import { checkAdjustment } from './wallets/adjust-wallet.ts';
import { stateOf } from './wallets/wallet.ts';

const ledger = useLedger();

describe('a period of spending', () => {
  const now = new Date('2026-03-01T00:00:00.500Z');
  it.each([
    ['TODAY', '2026-03-01T00:00:00.000Z'],
    ['THIS_MONTH', '2026-03-01T00:00:00.000Z'],
    ['LAST_7_DAYS', '2026-02-22T00:00:00.500Z'],
    ['LAST_30_DAYS', '2026-01-30T00:00:00.500Z'],
  ] as const)('%s starts at %s', (period, start) => {
    expect(startOfPeriod(period, now)!.toISOString()).toBe(start);
  });
  it('ALL has no start', () => expect(startOfPeriod('ALL', now)).toBeNull());
});

describe('the state of a wallet', () => {
  it.each([
    ['OPEN', 10n, 9n, 'OPEN'],
    ['OPEN', 10n, 10n, 'DEPLETED'],
    ['OPEN', 0n, 0n, 'DEPLETED'],
    ['FROZEN', 10n, 0n, 'FROZEN'],
    ['FROZEN', 0n, 0n, 'FROZEN'],
  ] as const)('%s with %s of which %s are reserved is %s', (state, balance, reserved, expected) => {
    expect(stateOf({ state, balance, reserved })).toBe(expected);
  });
});

describe('an adjustment', () => {
  const good = { organizationId: undefined, amount: 1n, reason: 'r', idempotencyKey: 'k' };
  it.each([
    [{}, undefined],
    [{ amount: -1n }, undefined],
    [{ amount: 0n }, 'amount'],
    [{ amount: 9_223_372_036_854_775_807n }, 'amount'],
    [{ reason: '' }, 'reason'],
    [{ reason: 'r'.repeat(501) }, 'reason'],
    [{ idempotencyKey: '' }, 'idempotencyKey'],
  ])('%o is faulty in %s', (change, field) => {
    expect(checkAdjustment({ ...good, ...change })?.field).toBe(field);
  });
});

describe('rating', () => {
  const rate = async (prices: Record<string, string>, usage: [string, number][]) => {
    await ledger.admin.query(
      'insert into rate_card (offering_id, version, prices, reserve) values ($1, 1, $2, 1)',
      [ledger.organizationId, JSON.stringify(prices)],
    );
    const { rows } = await ledger.admin.query<{ dimension: string; amount: string }>(
      'select dimension, amount from rate_usage($1, 1, $2) order by dimension',
      [
        ledger.organizationId,
        JSON.stringify(usage.map(([dimension, quantity]) => ({ dimension, quantity }))),
      ],
    );
    return rows.map(({ dimension, amount }) => `${dimension} ${amount}`);
  };
  it.each([
    ['an exact price', { run: '1000000' }, [['run', 3]], ['run 3']],
    [
      'a fraction up, once for all lines',
      { a: '400000', b: '400000', c: '400000' },
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
      ['a 1', 'b 0', 'c 1'],
    ],
    [
      'the same dimension twice as one line',
      { a: '500000' },
      [
        ['a', 1],
        ['a', 1],
      ],
      ['a 1'],
    ],
    [
      'an unknown dimension as free',
      { a: '1000000' },
      [
        ['a', 1],
        ['b', 9],
      ],
      ['a 1', 'b 0'],
    ],
    ['nothing used as nothing', { a: '1' }, [['a', 0]], ['a 0']],
    ['the smallest part as one', { a: '1' }, [['a', 1]], ['a 1']],
    ['large numbers exactly', { a: '999999999999' }, [['a', 999_999_999]], ['a 999999998999001']],
  ] as [string, Record<string, string>, [string, number][], string[]][])(
    'prices %s',
    async (_name, prices, usage, lines) => {
      expect(await rate(prices, usage)).toEqual(lines);
    },
  );
});

it('adds every account up to zero, whatever happened', async () => {
  await ledger.grant(credits(5), 'PROMO');
  const { rows } = await ledger.admin.query(
    `select sum(case when t.credit_account = a.id then t.amount else -t.amount end)::text as sum
     from ledger_account a join transfer t on a.id in (t.debit_account, t.credit_account)`,
  );
  expect(rows).toEqual([{ sum: '0' }]);
});
