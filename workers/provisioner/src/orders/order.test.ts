import { describe, expect, it } from 'vitest';
import { decideOrder } from './order.ts';

const order = (status: string, chargeStatus: string, refunded = 0) => ({
  status,
  chargeStatus,
  totalRefunded: { amount: refunded },
});

describe('what an order asks for', () => {
  it.each([
    ['paid', order('UNFULFILLED', 'FULL'), { kind: 'grant' }],
    ['overpaid', order('UNFULFILLED', 'OVERCHARGED'), { kind: 'grant' }],
    ['paid by hand, still unconfirmed', order('UNCONFIRMED', 'FULL'), { kind: 'grant' }],
    ['fulfilled', order('FULFILLED', 'FULL'), { kind: 'grant' }],
    ['not paid', order('UNCONFIRMED', 'NONE'), { kind: 'wait' }],
    ['partly paid', order('UNFULFILLED', 'PARTIAL'), { kind: 'wait' }],
    ['expired', order('EXPIRED', 'NONE'), { kind: 'wait' }],
    ['partly refunded: totals are net', order('UNFULFILLED', 'PARTIAL', 10), { kind: 'keep' }],
    ['partly refunded and charged again', order('UNFULFILLED', 'FULL', 10), { kind: 'keep' }],
    [
      'refunded in full: nothing is charged any more',
      order('UNFULFILLED', 'NONE', 49),
      { kind: 'revoke', reason: 'REFUNDED' },
    ],
    ['cancelled though paid', order('CANCELED', 'FULL'), { kind: 'revoke', reason: 'CANCELLED' }],
  ])('%s', (_name, given, decision) => expect(decideOrder(given)).toEqual(decision));
});
