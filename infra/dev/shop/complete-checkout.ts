import { checkPurchase, paidBy, pricedLines, totalOf } from './checkout.ts';
import type { ShopContext } from './context.ts';
import { refuse } from './errors.ts';
import { toId } from './global-id.ts';
import { emitFullyPaid, withPayments } from './order.ts';
import type { Metadata, OrderLineRecord, OrderRecord, UserRecord } from './records.ts';
import { newUuid, type Store, type WritableStore } from './store.ts';

/**
 * Turns a checkout into an order, once: completing it again answers the same order. Paid (or free) it is UNFULFILLED in a channel that
 * confirms by itself; unpaid, where the channel allows that, it is UNCONFIRMED whatever the channel says.
 */
export async function completeCheckout(
  ctx: ShopContext,
  tx: WritableStore,
  completion: { pk: string; metadata: Metadata; redirectUrl: string | null },
): Promise<OrderRecord> {
  const checkout = await tx.lock('Checkout', completion.pk);
  if (!checkout) {
    const [done] = await tx.find('Order', 'checkout', completion.pk);
    if (done) return done;
    throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${toId('Checkout', completion.pk)}`);
  }
  const channel = (await tx.get('Channel', checkout.channel))!;
  const requestor = await ctx.requestor();
  const now = ctx.shop.now();
  if (checkout.lines.length === 0)
    throw refuse('lines', 'NO_LINES', 'Cannot complete checkout without lines.');
  if (!checkout.billingAddress)
    throw refuse('billingAddress', 'BILLING_ADDRESS_NOT_SET', 'Billing address is not set');
  const user = checkout.user ? await tx.get('User', checkout.user) : await customerOf(tx, checkout.email);
  const userEmail = checkout.email ?? user?.email;
  if (!userEmail) throw refuse('email', 'EMAIL_NOT_SET', 'Checkout email must be set.');
  const priced = await pricedLines(tx, checkout);
  for (const { line, variant } of priced)
    await checkPurchase(tx, channel, {
      variant,
      quantity: line.quantity,
      variantId: variant.pk,
      now: now.getTime(),
    });

  const transactions = await tx.find('TransactionItem', 'checkout', checkout.pk);
  const total = totalOf(priced);
  const paid = paidBy(transactions);
  if (!channel.allowUnpaidOrders && paid.authorized + paid.charged < total)
    throw refuse(
      'id',
      'CHECKOUT_NOT_FULLY_PAID',
      "The authorized amount doesn't cover the checkout's total amount.",
    );

  const someMoney = paid.authorized + paid.charged > 0 || total === 0;
  const order = withPayments(
    {
      pk: newUuid(),
      number: Number(await tx.nextPk('OrderNumber')),
      channel: channel.pk,
      currency: checkout.currency,
      created: now.toISOString(),
      status: someMoney && channel.automaticallyConfirmAllNewOrders ? 'UNFULFILLED' : 'UNCONFIRMED',
      user: user?.pk ?? null,
      userEmail,
      billingAddress: checkout.billingAddress,
      shippingAddress: checkout.shippingAddress,
      checkout: checkout.pk,
      redirectUrl: completion.redirectUrl,
      total,
      charged: 0,
      authorized: 0,
      chargeStatus: 'NONE',
      paidByHand: 0,
      lines: await orderLines(tx, priced),
      metadata: { ...checkout.metadata, ...completion.metadata },
      privateMetadata: checkout.privateMetadata,
      updatedAt: now.toISOString(),
    },
    transactions,
  );
  await tx.put('Order', order);
  for (const transaction of transactions)
    await tx.put('TransactionItem', { ...transaction, order: order.pk, checkout: null });
  await tx.remove('Checkout', checkout.pk);
  await ctx.shop.emit(tx, { type: 'ORDER_CREATED', order: order.pk, issuedBy: requestor });
  if (order.chargeStatus === 'FULL' || order.chargeStatus === 'OVERCHARGED') {
    await ctx.shop.emit(tx, { type: 'ORDER_PAID', order: order.pk, issuedBy: requestor });
    await emitFullyPaid(ctx, tx, order.pk);
  }
  return order;
}

/** A guest's order goes to the customer with that e-mail, though nobody signed in. */
async function customerOf(store: Store, email: string | null): Promise<UserRecord | undefined> {
  return email ? (await store.find('User', 'email', email))[0] : undefined;
}

async function orderLines(
  tx: WritableStore,
  priced: Awaited<ReturnType<typeof pricedLines>>,
): Promise<OrderLineRecord[]> {
  const lines: OrderLineRecord[] = [];
  for (const { line, variant, unitPrice } of priced) {
    const product = await tx.get('Product', variant.product);
    lines.push({
      pk: newUuid(),
      variant: variant.pk,
      productVariantId: toId('ProductVariant', variant.pk),
      productName: product?.name ?? '',
      variantName: variant.name,
      sku: variant.sku,
      isShippingRequired: false,
      quantity: line.quantity,
      unitPrice,
      metadata: line.metadata,
      privateMetadata: line.privateMetadata,
    });
    if (variant.trackInventory) await allocate(tx, variant.pk, line.quantity);
  }
  return lines;
}

/** Puts the quantity aside, from the first stocks that have it. */
async function allocate(tx: WritableStore, pk: string, quantity: number): Promise<void> {
  const variant = await tx.lock('ProductVariant', pk);
  if (!variant) return;
  let left = quantity;
  const stocks = variant.stocks.map((stock) => {
    const taken = Math.min(left, Math.max(0, stock.quantity - stock.allocated));
    left -= taken;
    return { ...stock, allocated: stock.allocated + taken };
  });
  await tx.put('ProductVariant', { ...variant, stocks });
}
