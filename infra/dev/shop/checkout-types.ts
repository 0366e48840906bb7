import { addressFor } from './addresses.ts';
import { paidBy, pricedLines, totalOf, type PricedLine } from './checkout.ts';
import { has, type ShopContext } from './context.ts';
import { permissionDenied } from './errors.ts';
import { idField, metadataFields } from './metadata.ts';
import { money, taxed } from './money.ts';
import type { CheckoutLineRecord, CheckoutRecord } from './records.ts';

interface LineSource extends CheckoutLineRecord {
  readonly currency: string;
  readonly channelPk: string;
  readonly priced?: PricedLine;
}

const totals = async (checkout: CheckoutRecord, ctx: ShopContext) => {
  const transactions = await ctx.store.find('TransactionItem', 'checkout', checkout.pk);
  return { total: totalOf(await pricedLines(ctx.store, checkout)), ...paidBy(transactions) };
};
const unitPrice = async (line: LineSource, ctx: ShopContext): Promise<number> => {
  if (line.priced) return line.priced.unitPrice;
  const variant = await ctx.store.get('ProductVariant', line.variant);
  return variant?.listings.find((listing) => listing.channel === line.channelPk)?.price ?? 0;
};

export const checkoutTypes = {
  Checkout: {
    ...idField('Checkout'),
    ...metadataFields('Checkout'),
    token: (checkout: CheckoutRecord) => checkout.pk,
    user: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) => {
      if (!checkout.user) return null;
      const requestor = await ctx.requestor();
      const own = requestor.kind === 'user' && requestor.user.pk === checkout.user;
      if (!own && !has(requestor, 'MANAGE_USERS', 'HANDLE_PAYMENTS'))
        throw permissionDenied('MANAGE_USERS', 'HANDLE_PAYMENTS', 'OWNER');
      return ctx.store.get('User', checkout.user);
    },
    channel: (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) =>
      ctx.store.get('Channel', checkout.channel),
    billingAddress: (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) =>
      addressFor(ctx, checkout.billingAddress, checkout.user),
    shippingAddress: (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) =>
      addressFor(ctx, checkout.shippingAddress, checkout.user),
    isShippingRequired: () => false,
    displayGrossPrices: () => true,
    quantity: (checkout: CheckoutRecord) => checkout.lines.reduce((sum, line) => sum + line.quantity, 0),
    lines: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext): Promise<LineSource[]> =>
      (await pricedLines(ctx.store, checkout)).map((priced) => ({
        ...priced.line,
        currency: checkout.currency,
        channelPk: checkout.channel,
        priced,
      })),
    shippingPrice: (checkout: CheckoutRecord) => taxed(0, checkout.currency),
    subtotalPrice: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) =>
      taxed((await totals(checkout, ctx)).total, checkout.currency),
    totalPrice: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) =>
      taxed((await totals(checkout, ctx)).total, checkout.currency),
    totalBalance: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) => {
      const { charged, total } = await totals(checkout, ctx);
      return money(charged - total, checkout.currency);
    },
    transactions: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) => {
      if (!has(await ctx.requestor(), 'MANAGE_CHECKOUTS', 'HANDLE_PAYMENTS'))
        throw permissionDenied('MANAGE_CHECKOUTS', 'HANDLE_PAYMENTS');
      return ctx.store.find('TransactionItem', 'checkout', checkout.pk);
    },
    authorizeStatus: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) => {
      const { authorized, charged, total } = await totals(checkout, ctx);
      return authorized + charged >= total ? 'FULL' : authorized + charged > 0 ? 'PARTIAL' : 'NONE';
    },
    chargeStatus: async (checkout: CheckoutRecord, _: unknown, ctx: ShopContext) => {
      const { charged, total } = await totals(checkout, ctx);
      return charged > total ? 'OVERCHARGED' : charged === total ? 'FULL' : charged > 0 ? 'PARTIAL' : 'NONE';
    },
  },
  CheckoutLine: {
    ...idField('CheckoutLine'),
    ...metadataFields('CheckoutLine'),
    variant: async (line: LineSource, _: unknown, ctx: ShopContext) => {
      const [record, channel] = await Promise.all([
        ctx.store.get('ProductVariant', line.variant),
        ctx.store.get('Channel', line.channelPk),
      ]);
      return record && { record, channel: channel?.slug ?? null };
    },
    requiresShipping: () => false,
    unitPrice: async (line: LineSource, _: unknown, ctx: ShopContext) =>
      taxed(await unitPrice(line, ctx), line.currency),
    undiscountedUnitPrice: async (line: LineSource, _: unknown, ctx: ShopContext) =>
      money(await unitPrice(line, ctx), line.currency),
    totalPrice: async (line: LineSource, _: unknown, ctx: ShopContext) =>
      taxed((await unitPrice(line, ctx)) * line.quantity, line.currency),
    undiscountedTotalPrice: async (line: LineSource, _: unknown, ctx: ShopContext) =>
      money((await unitPrice(line, ctx)) * line.quantity, line.currency),
  },
};
