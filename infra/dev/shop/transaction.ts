import type { TransactionEventRecord, TransactionRecord } from './records.ts';

/** Sums of one transaction, in minor units. */
export interface Amounts {
  readonly authorized: number;
  readonly charged: number;
  readonly refunded: number;
  readonly canceled: number;
}

type Event = Pick<TransactionEventRecord, 'type' | 'amount' | 'pspReference' | 'counted' | 'createdAt'>;

/**
 * What the events add up to. Events of one pspReference belong together: its success counts unless a later failure took it back, and it
 * moves the money on (a charge lowers what is authorized, a refund lowers what is charged). Events without a pspReference come from
 * transactionCreate and transactionUpdate, whose caller states every amount itself: a refund there does **not** lower the charge.
 */
export function amountsOf(events: readonly Event[]): Amounts {
  const sums = { authorized: 0, charged: 0, refunded: 0, canceled: 0 };
  const counted = events.filter((event) => event.counted);
  const lastAdjustment = counted.findLastIndex((event) => event.type === 'AUTHORIZATION_ADJUSTMENT');
  counted.forEach((event, at) => {
    if (event.type.startsWith('AUTHORIZATION') && at < lastAdjustment) return;
    const reported = event.pspReference !== '';
    if (reported && tookBack(counted, event)) return;
    switch (event.type) {
      case 'AUTHORIZATION_SUCCESS':
        sums.authorized += event.amount;
        break;
      case 'AUTHORIZATION_ADJUSTMENT':
        sums.authorized = event.amount;
        break;
      case 'CHARGE_SUCCESS':
        sums.charged += event.amount;
        if (reported) sums.authorized -= event.amount;
        break;
      case 'CHARGE_BACK':
        sums.charged -= event.amount;
        break;
      case 'REFUND_SUCCESS':
        sums.refunded += event.amount;
        if (reported) sums.charged -= event.amount;
        break;
      case 'REFUND_REVERSE':
        sums.charged += event.amount;
        if (reported) sums.refunded -= event.amount;
        break;
      case 'CANCEL_SUCCESS':
        sums.canceled += event.amount;
        if (reported) sums.authorized -= event.amount;
        break;
      default:
        break;
    }
  });
  return { ...sums, authorized: Math.max(0, sums.authorized) };
}

/** A failure of the same kind and pspReference that came after the success. */
const tookBack = (events: readonly Event[], success: Event): boolean =>
  success.type.endsWith('_SUCCESS') &&
  events.some(
    (event) =>
      event.type === success.type.replace('_SUCCESS', '_FAILURE') &&
      event.pspReference === success.pspReference &&
      event.createdAt >= success.createdAt,
  );

/** The events that bring a transaction from its sums to the stated ones; amounts not stated stay. */
export function adjustments(now: Amounts, stated: Partial<Amounts>): { type: string; amount: number }[] {
  const events: { type: string; amount: number }[] = [];
  const step = (member: keyof Amounts, up: string, down: string): void => {
    const wanted = stated[member];
    if (wanted === undefined || wanted === now[member]) return;
    events.push({ type: wanted > now[member] ? up : down, amount: Math.abs(wanted - now[member]) });
  };
  if (stated.authorized !== undefined && stated.authorized !== now.authorized)
    events.push(
      now.authorized === 0
        ? { type: 'AUTHORIZATION_SUCCESS', amount: stated.authorized }
        : { type: 'AUTHORIZATION_ADJUSTMENT', amount: stated.authorized },
    );
  step('charged', 'CHARGE_SUCCESS', 'CHARGE_BACK');
  step('refunded', 'REFUND_SUCCESS', 'REFUND_REVERSE');
  step('canceled', 'CANCEL_SUCCESS', 'CANCEL_SUCCESS');
  return events;
}

/** What a report of the payment provider means for a transaction that may already know it. */
export type ReportDecision = 'new' | 'already processed' | 'other amount' | 'already authorized';

/** Idempotent by (pspReference, type); the same with another amount is refused. */
export function judgeReport(
  transaction: TransactionRecord,
  report: { type: string; pspReference: string; amount: number },
): ReportDecision {
  const same = transaction.events.find(
    (event) => event.counted && event.type === report.type && event.pspReference === report.pspReference,
  );
  if (same) return same.amount === report.amount ? 'already processed' : 'other amount';
  const authorized = transaction.events.some(
    (event) => event.counted && event.type === 'AUTHORIZATION_SUCCESS',
  );
  return report.type === 'AUTHORIZATION_SUCCESS' && authorized ? 'already authorized' : 'new';
}
