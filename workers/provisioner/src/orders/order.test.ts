import { describe, expect, it } from 'vitest';
import { decideOrder, type OrderMoney } from './order.ts';

type Event = OrderMoney['transactions'][number]['events'][number];
const amount = (minor: number) => ({ fractionalAmount: minor });
const event = (type: string, minor: number, pspReference = 'psp'): Event => ({
  type,
  pspReference,
  amount: amount(minor),
});

/** An order of 49.00; the events of its one transaction say how the sums came about. */
const order = (
  [status, chargeStatus]: [string, string],
  [charged, refunded]: [number, number],
  events: Event[] = [],
): OrderMoney => ({
  status,
  chargeStatus,
  total: { gross: amount(4_900) },
  totalCharged: amount(charged),
  totalRefunded: amount(refunded),
  transactions: [{ events }],
});
const paid = event('CHARGE_SUCCESS', 4_900, '');
const free: OrderMoney = {
  ...order(['UNFULFILLED', 'FULL'], [0, 0]),
  total: { gross: amount(0) },
  transactions: [],
};

const grant = { kind: 'grant' };
const wait = { kind: 'wait' };
const revoke = (reason: string) => ({ kind: 'revoke', reason });
const finish = (reason: string) => ({ kind: 'finish', held: expect.stringContaining(reason) as string });

describe('what an order asks for', () => {
  it.each<[string, OrderMoney, object]>([
    ['paid', order(['UNFULFILLED', 'FULL'], [4_900, 0], [paid]), grant],
    ['overpaid', order(['UNFULFILLED', 'OVERCHARGED'], [5_400, 0], [paid]), grant],
    ['paid by hand, still unconfirmed', order(['UNCONFIRMED', 'FULL'], [4_900, 0], [paid]), grant],
    ['fulfilled', order(['FULFILLED', 'FULL'], [4_900, 0], [paid]), grant],
    ['free', free, grant],
    ['not paid', order(['UNCONFIRMED', 'NONE'], [0, 0]), wait],
    ['partly paid', order(['UNFULFILLED', 'PARTIAL'], [1_000, 0]), wait],
    ['expired', order(['EXPIRED', 'NONE'], [0, 0]), wait],
    [
      'partly refunded: totals are net',
      order(['UNFULFILLED', 'PARTIAL'], [3_900, 1_000], [paid, event('REFUND_SUCCESS', 1_000)]),
      finish('PARTIALLY_REFUNDED'),
    ],
    [
      'partly refunded as was granted before: FULL, and not all of the price is there',
      order(['UNFULFILLED', 'FULL'], [3_900, 1_000], [paid, event('REFUND_SUCCESS', 1_000)]),
      finish('PARTIALLY_REFUNDED'),
    ],
    [
      'partly refunded and charged again',
      order(['UNFULFILLED', 'FULL'], [4_900, 1_000], [paid, event('REFUND_SUCCESS', 1_000)]),
      grant,
    ],
    [
      'charged twice, and the second charge refunded',
      order(['UNFULFILLED', 'FULL'], [4_900, 4_900], [paid, paid, event('REFUND_SUCCESS', 4_900)]),
      grant,
    ],
    [
      'partly charged back',
      order(['UNFULFILLED', 'PARTIAL'], [3_900, 0], [paid, event('CHARGE_BACK', 1_000)]),
      finish('PARTIALLY_CHARGED_BACK'),
    ],
    [
      'refunded in full: nothing is charged any more',
      order(['UNFULFILLED', 'NONE'], [0, 4_900], [paid, event('REFUND_SUCCESS', 4_900)]),
      revoke('REFUNDED'),
    ],
    [
      'refunded in full as was granted before: the shop says FULL',
      order(['UNFULFILLED', 'FULL'], [0, 4_900], [paid, event('REFUND_SUCCESS', 4_900)]),
      revoke('REFUNDED'),
    ],
    [
      'refunded in full by hand: what is charged is not lowered',
      order(['UNFULFILLED', 'FULL'], [4_900, 4_900], [paid, event('REFUND_SUCCESS', 4_900, '')]),
      revoke('REFUNDED'),
    ],
    [
      'refunded in full by hand, the lower charge stated too',
      order(
        ['UNFULFILLED', 'NONE'],
        [0, 4_900],
        [paid, event('CHARGE_BACK', 4_900, ''), event('REFUND_SUCCESS', 4_900, '')],
      ),
      revoke('REFUNDED'),
    ],
    [
      'refunded by hand, and the refund taken back',
      order(
        ['UNFULFILLED', 'FULL'],
        [4_900, 0],
        [paid, event('REFUND_SUCCESS', 4_900, ''), event('REFUND_REVERSE', 4_900, '')],
      ),
      grant,
    ],
    [
      'charged back',
      order(['UNFULFILLED', 'NONE'], [0, 0], [paid, event('CHARGE_BACK', 4_900)]),
      revoke('CHARGED_BACK'),
    ],
    [
      'a charge that failed after all',
      order(
        ['UNFULFILLED', 'NONE'],
        [0, 0],
        [event('CHARGE_SUCCESS', 4_900), event('CHARGE_FAILURE', 4_900)],
      ),
      revoke('CHARGED_BACK'),
    ],
    ['never paid and its refund granted: FULL of nothing', order(['UNFULFILLED', 'FULL'], [0, 0]), wait],
    ['cancelled though paid', order(['CANCELED', 'FULL'], [4_900, 0], [paid]), revoke('CANCELLED')],
  ])('%s', (_name, given, decision) => expect(decideOrder(given)).toEqual(decision));
});
