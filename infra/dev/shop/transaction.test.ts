import { describe, expect, it } from 'vitest';
import { adjustments, amountsOf, judgeReport } from './transaction.ts';
import type { TransactionRecord } from './records.ts';

let second = 0;
const event = (type: string, amount: number, pspReference = '') => ({
  type,
  amount,
  pspReference,
  counted: true,
  createdAt: new Date((second += 1) * 1000).toISOString(),
});

describe('what the events of a transaction add up to', () => {
  it.each([
    ['a charge stated by hand', [event('CHARGE_SUCCESS', 4900)], { charged: 4900, refunded: 0 }],
    [
      'a reported refund lowers the charge',
      [event('CHARGE_SUCCESS', 4900), event('REFUND_SUCCESS', 1000, 'r1')],
      { charged: 3900, refunded: 1000 },
    ],
    [
      'a refund stated by hand does not',
      [event('CHARGE_SUCCESS', 4900), event('REFUND_SUCCESS', 1000)],
      { charged: 4900, refunded: 1000 },
    ],
    [
      'two refunds add up',
      [
        event('CHARGE_SUCCESS', 4900),
        event('REFUND_SUCCESS', 1000, 'r1'),
        event('REFUND_SUCCESS', 900, 'r2'),
      ],
      { charged: 3000, refunded: 1900 },
    ],
    [
      'a refund that failed later is none',
      [
        event('CHARGE_SUCCESS', 4900),
        event('REFUND_SUCCESS', 1000, 'r1'),
        event('REFUND_FAILURE', 1000, 'r1'),
      ],
      { charged: 4900, refunded: 0 },
    ],
    [
      'a refund taken back',
      [
        event('CHARGE_SUCCESS', 4900),
        event('REFUND_SUCCESS', 1000, 'r1'),
        event('REFUND_REVERSE', 1000, 'r2'),
      ],
      { charged: 4900, refunded: 0 },
    ],
    [
      'a charge of what was authorized',
      [event('AUTHORIZATION_SUCCESS', 4900, 'a1'), event('CHARGE_SUCCESS', 1900, 'c1')],
      { authorized: 3000, charged: 1900 },
    ],
    ['a chargeback', [event('CHARGE_SUCCESS', 4900, 'c1'), event('CHARGE_BACK', 4900, 'c1')], { charged: 0 }],
    ['an event that does not count', [{ ...event('CHARGE_SUCCESS', 4900), counted: false }], { charged: 0 }],
  ])('%s', (_name, events, sums) => {
    expect(amountsOf(events)).toMatchObject(sums);
  });
});

it('states new amounts by the events that lead there, up and down', () => {
  const now = { authorized: 0, charged: 4900, refunded: 0, canceled: 0 };
  expect(adjustments(now, { charged: 3900, refunded: 1000 })).toEqual([
    { type: 'CHARGE_BACK', amount: 1000 },
    { type: 'REFUND_SUCCESS', amount: 1000 },
  ]);
  expect(adjustments(now, { charged: 4900 })).toEqual([]);
});

it('knows a report again by pspReference and type, and refuses it with another amount', () => {
  const known = {
    events: [event('REFUND_SUCCESS', 1000, 'r1'), event('AUTHORIZATION_SUCCESS', 1, 'a')],
  } as unknown as TransactionRecord;
  const report = { type: 'REFUND_SUCCESS', pspReference: 'r1', amount: 1000 };
  expect(judgeReport(known, report)).toBe('already processed');
  expect(judgeReport(known, { ...report, amount: 999 })).toBe('other amount');
  expect(judgeReport(known, { ...report, pspReference: 'r2' })).toBe('new');
  expect(judgeReport(known, { type: 'AUTHORIZATION_SUCCESS', pspReference: 'b', amount: 1 })).toBe(
    'already authorized',
  );
});
