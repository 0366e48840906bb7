import { refuse } from './errors.ts';
import { isForSale, priceOf } from './listings.ts';
import type { ChannelRecord, CheckoutRecord, TransactionRecord, VariantRecord } from './records.ts';
import type { Store } from './store.ts';

/** A checkout with what its prices hang on. */
export interface PricedLine {
  readonly line: CheckoutRecord['lines'][number];
  readonly variant: VariantRecord;
  readonly unitPrice: number;
}

/** Lines with today's prices. A variant that lost its price counts zero here and is refused at completion. */
export async function pricedLines(store: Store, checkout: CheckoutRecord): Promise<PricedLine[]> {
  const channel = await store.get('Channel', checkout.channel);
  const variants = await store.many(
    'ProductVariant',
    checkout.lines.map((line) => line.variant),
  );
  return checkout.lines.flatMap((line) => {
    const variant = variants.get(line.variant);
    return variant && channel ? [{ line, variant, unitPrice: priceOf(variant, channel) ?? 0 }] : [];
  });
}

export const totalOf = (lines: readonly PricedLine[]): number =>
  lines.reduce((sum, { line, unitPrice }) => sum + line.quantity * unitPrice, 0);

/** What transactions have brought in. */
export const paidBy = (transactions: readonly TransactionRecord[]) => ({
  charged: transactions.reduce((sum, one) => sum + one.charged, 0),
  authorized: transactions.reduce((sum, one) => sum + one.authorized, 0),
  refunded: transactions.reduce((sum, one) => sum + one.refunded, 0),
  canceled: transactions.reduce((sum, one) => sum + one.canceled, 0),
});

/** Throws unless the variant can be bought in the channel in that quantity. */
export async function checkPurchase(
  store: Store,
  channel: ChannelRecord,
  wanted: { variant: VariantRecord; quantity: number; variantId: string; now: number },
): Promise<void> {
  const { variant } = wanted;
  const product = await store.get('Product', variant.product);
  if (wanted.quantity < 0)
    throw refuse('quantity', 'ZERO_QUANTITY', 'The quantity should be higher than zero.');
  if (!product || priceOf(variant, channel) === undefined)
    throw refuse('lines', 'UNAVAILABLE_VARIANT_IN_CHANNEL', 'Cannot add lines with unavailable variants.');
  if (!isForSale(product, channel, wanted.now))
    throw refuse(
      'lines',
      'PRODUCT_UNAVAILABLE_FOR_PURCHASE',
      'Cannot add lines for unavailable for purchase variants.',
    );
  // Without a stock row in a warehouse of the channel even an untracked variant cannot be sold.
  const stocks = variant.stocks.filter((stock) => channel.warehouses.includes(stock.warehouse));
  const free = stocks.reduce((sum, stock) => sum + stock.quantity - stock.allocated, 0);
  if (stocks.length === 0 || (variant.trackInventory && free < wanted.quantity))
    throw refuse(
      'quantity',
      'INSUFFICIENT_STOCK',
      `Could not add items ${variant.sku ?? variant.name}. Only ${Math.max(0, free)} remaining in stock.`,
    );
  if (variant.quantityLimitPerCustomer !== null && wanted.quantity > variant.quantityLimitPerCustomer)
    throw refuse(
      'quantity',
      'QUANTITY_GREATER_THAN_LIMIT',
      `Cannot add more than ${variant.quantityLimitPerCustomer} times this item.`,
    );
}
