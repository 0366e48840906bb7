import { paidBy } from './checkout.ts';
import type { Requestor, ShopContext } from './context.ts';
import type { ChargeStatus, OrderRecord, TransactionRecord } from './records.ts';
import type { WritableStore } from './store.ts';

/** How much of the total is charged. After a refund `charged` is net, so a refunded order is PARTIAL or NONE; a free one is FULL. */
export function chargeStatusOf(charged: number, total: number): ChargeStatus {
  if (charged === total) return 'FULL';
  if (charged <= 0) return 'NONE';
  return charged < total ? 'PARTIAL' : 'OVERCHARGED';
}

/** The order with its sums taken anew from its transactions and what was marked as paid by hand. */
export function withPayments(order: OrderRecord, transactions: readonly TransactionRecord[]): OrderRecord {
  const { charged, authorized } = paidBy(transactions);
  const sum = charged + order.paidByHand;
  return { ...order, charged: sum, authorized, chargeStatus: chargeStatusOf(sum, owed(order)) };
}

/** What staff granted back. */
export const grantedBack = (order: OrderRecord): number =>
  (order.grantedRefunds ?? []).reduce((sum, { amount }) => sum + amount, 0);

/**
 * What the charge status is measured against: a granted refund lowers it, so granting all of a FULL order makes it OVERCHARGED, and paying that refund
 * out FULL again, of nothing. `isPaid` still looks at the whole total.
 */
export const owed = (order: OrderRecord): number => order.total - grantedBack(order);

/** Whether the order counts as paid: all of the total is there. */
export const isPaid = (order: OrderRecord): boolean => order.charged >= order.total;

/** ORDER_FULLY_PAID and the ORDER_UPDATED that always comes with it. */
export async function emitFullyPaid(ctx: ShopContext, tx: WritableStore, order: string): Promise<void> {
  const issuedBy = await ctx.requestor();
  await ctx.shop.emit(tx, { type: 'ORDER_FULLY_PAID', order, issuedBy });
  await ctx.shop.emit(tx, { type: 'ORDER_UPDATED', order, issuedBy });
}

/** A transaction's sums before it changed. */
export interface Before {
  readonly authorized: number;
  readonly charged: number;
  readonly refunded: number;
}

/**
 * Brings the order up to date after one of its transactions changed and says what happened: a higher charge is ORDER_PAID, and
 * ORDER_FULLY_PAID each time the order then is fully or over-charged; a higher refund is ORDER_REFUNDED, and ORDER_FULLY_REFUNDED once
 * refunds reach the total. An unconfirmed order of a channel that confirms by itself is confirmed.
 */
export async function settleTransaction(
  ctx: ShopContext,
  tx: WritableStore,
  change: { transaction: TransactionRecord; before: Before; issuedBy: Requestor },
): Promise<void> {
  const { transaction, before, issuedBy } = change;
  const old = transaction.order ? await tx.lock('Order', transaction.order) : undefined;
  if (!old) return;
  const transactions = await tx.find('TransactionItem', 'order', old.pk);
  const channel = await tx.get('Channel', old.channel);
  const confirmed = old.status === 'UNCONFIRMED' && channel?.automaticallyConfirmAllNewOrders === true;
  const order: OrderRecord = {
    ...withPayments(old, transactions),
    status: confirmed ? 'UNFULFILLED' : old.status,
    updatedAt: ctx.shop.now().toISOString(),
  };
  await tx.put('Order', order);
  const tell = (type: 'ORDER_PAID' | 'ORDER_REFUNDED' | 'ORDER_FULLY_REFUNDED' | 'ORDER_UPDATED') =>
    ctx.shop.emit(tx, { type, order: order.pk, issuedBy });

  let updated = transaction.authorized !== before.authorized || transaction.charged < before.charged;
  if (transaction.charged > before.charged) {
    await tell('ORDER_PAID');
    if (order.chargeStatus === 'FULL' || order.chargeStatus === 'OVERCHARGED')
      await emitFullyPaid(ctx, tx, order.pk);
    else await tell('ORDER_UPDATED');
    updated = false;
  }
  if (transaction.refunded > before.refunded) {
    await tell('ORDER_REFUNDED');
    if (paidBy(transactions).refunded >= order.total) await tell('ORDER_FULLY_REFUNDED');
    await tell('ORDER_UPDATED');
    updated = false;
  }
  if (updated) await tell('ORDER_UPDATED');
}
