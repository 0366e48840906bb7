import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { refuse } from './errors.ts';
import { parseId, pkOf } from './global-id.ts';
import { lockOrder } from './lock-order.ts';
import { toMinor } from './money.ts';
import { grantedBack, withPayments } from './order.ts';
import { payload } from './payload.ts';
import type { GrantedRefundRecord } from './records.ts';

interface GrantInput {
  readonly amount?: string | number | null;
  readonly reason?: string | null;
  readonly reasonReference?: string | null;
  readonly transactionId: string;
}

/**
 * Staff says that so much goes back; nothing is paid out yet. What the order owes is lower from now on, so a paid order turns OVERCHARGED, without an
 * ORDER_FULLY_PAID. By default a reason is wanted as a reference to a page.
 */
export const grantRefund = (_: unknown, { id, input }: { id: string; input: GrantInput }, ctx: ShopContext) =>
  payload(async () => {
    const issuedBy = await requirePermission(ctx, ['MANAGE_ORDERS']);
    return mutate(ctx, async (tx) => {
      const old = await lockOrder(tx, id);
      if (parseId(input.reasonReference ?? '')?.type !== 'Page')
        throw refuse('reasonReference', 'REQUIRED', 'Reason reference is required.');
      const transactions = await tx.find('TransactionItem', 'order', old.pk);
      const transaction = transactions.find(({ pk }) => pk === pkOf('TransactionItem', input.transactionId));
      if (!transaction)
        throw refuse('transactionId', 'NOT_FOUND', `Couldn't resolve to a node: ${input.transactionId}`);
      const amount = input.amount == null ? undefined : toMinor(input.amount, old.currency);
      if (!amount)
        throw refuse('amount', 'REQUIRED', 'You need to provide at least one of `amount`, `lines`.');
      if (amount > Math.min(transaction.charged, old.total - grantedBack(old)))
        throw refuse(
          'amount',
          'AMOUNT_GREATER_THAN_AVAILABLE',
          'Provided `amount` is greater than available.',
        );
      const made: GrantedRefundRecord = {
        pk: await tx.nextPk('OrderGrantedRefund'),
        amount,
        reason: input.reason ?? '',
        transaction: transaction.pk,
        createdAt: timestamp(ctx.shop),
      };
      const granted = { ...old, grantedRefunds: [...(old.grantedRefunds ?? []), made] };
      const order = { ...withPayments(granted, transactions), updatedAt: made.createdAt };
      await tx.put('Order', order);
      await ctx.shop.emit(tx, { type: 'ORDER_UPDATED', order: order.pk, issuedBy });
      return { order, grantedRefund: { ...made, currency: order.currency } };
    });
  });
