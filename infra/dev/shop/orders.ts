import { addressFor } from './addresses.ts';
import { paidBy } from './checkout.ts';
import {
  has,
  mutate,
  requirePermission,
  seesWholeCatalogue,
  timestamp,
  type ShopContext,
} from './context.ts';
import { permissionDenied, refuse } from './errors.ts';
import { pkOf, toId } from './global-id.ts';
import { inView, showsVariant, viewOf } from './listings.ts';
import { idField, metadataFields } from './metadata.ts';
import { money, taxed, type Money } from './money.ts';
import { grantRefund } from './grant-refund.ts';
import { lockOrder } from './lock-order.ts';
import { chargeStatusOf, emitFullyPaid, grantedBack, isPaid, owed, withPayments } from './order.ts';
import { pageOfOrders, type OrderSort, type OrderWhere } from './orders.store.ts';
import type { PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import type { GrantedRefundRecord, OrderLineRecord, OrderRecord } from './records.ts';
import { newTransaction } from './edit-transaction.ts';
import type { WritableStore } from './store.ts';

export const orderQueries = {
  /** Answers whoever knows the id, as Saleor does; only `user` and the addresses are kept back. */
  order: (_: unknown, args: { id?: string | null }, ctx: ShopContext) =>
    args.id ? ctx.store.get('Order', pkOf('Order', args.id)) : null,
  orders: async (
    _: unknown,
    args: PageArgs & { where?: OrderWhere | null; sortBy?: OrderSort | null },
    ctx: ShopContext,
  ) => {
    await requirePermission(ctx, ['MANAGE_ORDERS']);
    return pageOfOrders(ctx.store, args);
  },
};

export const orderMutations = {
  orderMarkAsPaid: (
    _: unknown,
    args: { id: string; transactionReference?: string | null },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_ORDERS']);
      return mutate(ctx, async (tx) => ({ order: await markAsPaid(ctx, tx, args) }));
    }),
  orderCancel: (_: unknown, { id }: { id: string }, ctx: ShopContext) =>
    payload(async () => {
      const issuedBy = await requirePermission(ctx, ['MANAGE_ORDERS']);
      return mutate(ctx, async (tx) => {
        const old = await lockOrder(tx, id);
        if (old.status === 'CANCELED')
          throw refuse('order', 'CANNOT_CANCEL_ORDER', "This order can't be canceled.");
        const order: OrderRecord = { ...old, status: 'CANCELED', updatedAt: timestamp(ctx.shop) };
        await tx.put('Order', order);
        await ctx.shop.emit(tx, { type: 'ORDER_CANCELLED', order: order.pk, issuedBy });
        await ctx.shop.emit(tx, { type: 'ORDER_UPDATED', order: order.pk, issuedBy });
        return { order };
      });
    }),
  orderGrantRefundCreate: grantRefund,
  orderConfirm: (_: unknown, { id }: { id: string }, ctx: ShopContext) =>
    payload(async () => {
      const issuedBy = await requirePermission(ctx, ['MANAGE_ORDERS']);
      return mutate(ctx, async (tx) => {
        const old = await lockOrder(tx, id);
        if (old.status !== 'UNCONFIRMED')
          throw refuse(
            'id',
            'INVALID',
            'Provided order id belongs to an order with status different than unconfirmed.',
          );
        const order: OrderRecord = { ...old, status: 'UNFULFILLED', updatedAt: timestamp(ctx.shop) };
        await tx.put('Order', order);
        await ctx.shop.emit(tx, { type: 'ORDER_UPDATED', order: order.pk, issuedBy });
        return { order };
      });
    }),
};

/** Charges the whole total by hand. The status stays: an UNCONFIRMED order is then fully paid and still UNCONFIRMED. */
async function markAsPaid(
  ctx: ShopContext,
  tx: WritableStore,
  args: { id: string; transactionReference?: string | null },
): Promise<OrderRecord> {
  const old = await lockOrder(tx, args.id);
  const channel = await tx.get('Channel', old.channel);
  const transactions = await tx.find('TransactionItem', 'order', old.pk);
  if (transactions.length || old.paidByHand > 0)
    throw refuse(
      null,
      'PAYMENT_ERROR',
      `Orders with ${transactions.length ? 'transactions' : 'payments'} can not be manually marked as paid.`,
    );
  const byTransaction = channel?.markAsPaidStrategy === 'TRANSACTION_FLOW';
  if (byTransaction) {
    const made = await newTransaction(ctx, tx, {
      holder: { order: old.pk, checkout: null, currency: old.currency },
      name: '',
      pspReference: args.transactionReference ?? '',
      amounts: { charged: old.total },
    });
    await tx.put('TransactionItem', made);
    transactions.push(made);
  }
  const order = {
    ...withPayments({ ...old, paidByHand: byTransaction ? 0 : old.total }, transactions),
    updatedAt: timestamp(ctx.shop),
  };
  await tx.put('Order', order);
  await emitFullyPaid(ctx, tx, order.pk);
  return order;
}

type GrantedRefundSource = GrantedRefundRecord & { readonly currency: string };

interface LineSource extends OrderLineRecord {
  readonly currency: string;
  readonly channelPk: string;
}

const transactionsOf = (order: OrderRecord, ctx: ShopContext) =>
  ctx.store.find('TransactionItem', 'order', order.pk);
const sum = async (order: OrderRecord, ctx: ShopContext, which: 'refunded' | 'canceled'): Promise<Money> =>
  money(paidBy(await transactionsOf(order, ctx))[which], order.currency);
const zero = (order: OrderRecord): Money => money(0, order.currency);
const total = (order: OrderRecord) => taxed(order.total, order.currency);

export const orderTypes = {
  Order: {
    ...idField('Order'),
    ...metadataFields('Order'),
    number: (order: OrderRecord) => String(order.number),
    statusDisplay: (order: OrderRecord) => order.status.charAt(0) + order.status.slice(1).toLowerCase(),
    user: async (order: OrderRecord, _: unknown, ctx: ShopContext) => {
      if (!order.user) return null;
      const requestor = await ctx.requestor();
      const own = requestor.kind === 'user' && requestor.user.pk === order.user;
      if (!own && !has(requestor, 'MANAGE_USERS', 'MANAGE_ORDERS', 'HANDLE_PAYMENTS', 'HANDLE_TAXES'))
        throw permissionDenied('MANAGE_USERS', 'MANAGE_ORDERS', 'HANDLE_PAYMENTS', 'HANDLE_TAXES', 'OWNER');
      return ctx.store.get('User', order.user);
    },
    billingAddress: (order: OrderRecord, _: unknown, ctx: ShopContext) =>
      addressFor(ctx, order.billingAddress, order.user),
    shippingAddress: (order: OrderRecord, _: unknown, ctx: ShopContext) =>
      addressFor(ctx, order.shippingAddress, order.user),
    channel: (order: OrderRecord, _: unknown, ctx: ShopContext) => ctx.store.get('Channel', order.channel),
    lines: (order: OrderRecord): LineSource[] =>
      order.lines.map((line) => ({ ...line, currency: order.currency, channelPk: order.channel })),
    actions: async (order: OrderRecord, _: unknown, ctx: ShopContext) => {
      await requirePermission(ctx, ['MANAGE_ORDERS']);
      return order.chargeStatus === 'NONE' && order.paidByHand === 0 ? ['MARK_AS_PAID'] : [];
    },
    origin: () => 'CHECKOUT',
    isPaid,
    paymentStatus: (order: OrderRecord) =>
      ({
        FULL: 'FULLY_CHARGED',
        OVERCHARGED: 'FULLY_CHARGED',
        PARTIAL: 'PARTIALLY_CHARGED',
        NONE: 'NOT_CHARGED',
      })[order.chargeStatus],
    authorizeStatus: (order: OrderRecord) => {
      const covered = chargeStatusOf(order.charged + order.authorized, owed(order));
      return covered === 'OVERCHARGED' ? 'FULL' : covered;
    },
    transactions: async (order: OrderRecord, _: unknown, ctx: ShopContext) => {
      await requirePermission(ctx, ['MANAGE_ORDERS', 'HANDLE_PAYMENTS']);
      return transactionsOf(order, ctx);
    },
    total,
    undiscountedTotal: total,
    subtotal: total,
    shippingPrice: (order: OrderRecord) => taxed(0, order.currency),
    token: (order: OrderRecord) => order.pk,
    totalAuthorized: (order: OrderRecord) => money(order.authorized, order.currency),
    totalCaptured: (order: OrderRecord) => money(order.charged, order.currency),
    totalCharged: (order: OrderRecord) => money(order.charged, order.currency),
    totalBalance: (order: OrderRecord) => money(order.charged - order.total, order.currency),
    totalCanceled: (order: OrderRecord, _: unknown, ctx: ShopContext) => sum(order, ctx, 'canceled'),
    totalRefunded: (order: OrderRecord, _: unknown, ctx: ShopContext) => sum(order, ctx, 'refunded'),
    totalRefundPending: zero,
    totalChargePending: zero,
    totalGrantedRefund: (order: OrderRecord) => money(grantedBack(order), order.currency),
    grantedRefunds: (order: OrderRecord) =>
      (order.grantedRefunds ?? []).map((refund) => ({ ...refund, currency: order.currency })),
    isShippingRequired: () => false,
    displayGrossPrices: () => true,
    errors: () => [],
    externalReference: () => null,
    customerNote: () => '',
    checkoutId: (order: OrderRecord) => (order.checkout ? toId('Checkout', order.checkout) : null),
  },
  OrderGrantedRefund: {
    id: (refund: GrantedRefundSource) => toId('OrderGrantedRefund', refund.pk),
    amount: (refund: GrantedRefundSource) => money(refund.amount, refund.currency),
    updatedAt: (refund: GrantedRefundSource) => refund.createdAt,
  },
  OrderLine: {
    ...idField('OrderLine'),
    ...metadataFields('OrderLine'),
    productSku: (line: LineSource) => line.sku,
    quantityFulfilled: () => 0,
    quantityToFulfill: (line: LineSource) => line.quantity,
    taxRate: () => 0,
    unitPrice: (line: LineSource) => taxed(line.unitPrice, line.currency),
    undiscountedUnitPrice: (line: LineSource) => taxed(line.unitPrice, line.currency),
    totalPrice: (line: LineSource) => taxed(line.unitPrice * line.quantity, line.currency),
    undiscountedTotalPrice: (line: LineSource) => taxed(line.unitPrice * line.quantity, line.currency),
    /** Null once the variant is gone, or for a requestor who may not see it in the order's channel. */
    variant: async (line: LineSource, _: unknown, ctx: ShopContext) => {
      const channel = await ctx.store.get('Channel', line.channelPk);
      const variant = line.variant ? await ctx.store.get('ProductVariant', line.variant) : undefined;
      const product = variant && (await ctx.store.get('Product', variant.product));
      if (!variant || !product || !channel) return null;
      if (seesWholeCatalogue(await ctx.requestor())) return { record: variant, channel: channel.slug };
      const view = await viewOf(ctx, channel.slug);
      return view && showsVariant(view, product, variant) ? inView(view, variant) : null;
    },
  },
};
