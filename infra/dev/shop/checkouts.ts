import { addressFromInput, type AddressInput } from './addresses.ts';
import { channelBySlug, defaultChannelSlug } from './catalogue.ts';
import { withLines, type LineInput } from './checkout-lines.ts';
import { has, mutate, timestamp, type ShopContext } from './context.ts';
import { permissionDenied, refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput } from './metadata.ts';
import { completeCheckout } from './complete-checkout.ts';
import { payload } from './payload.ts';
import type { CheckoutRecord } from './records.ts';
import { newUuid, type WritableStore } from './store.ts';

/** The three ways to name a checkout; `id` is the living one. */
interface CheckoutRef {
  id?: string | null;
  checkoutId?: string | null;
  token?: string | null;
}

const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** The checkout's pk by any of its names; undefined when none is given. */
const pkOfCheckout = (args: CheckoutRef): string => {
  const id = args.id ?? args.checkoutId;
  if (id) return pkOf('Checkout', id);
  if (args.token) return args.token.toLowerCase();
  throw refuse('id', 'GRAPHQL_ERROR', "At least one of arguments is required: 'checkoutId', 'token', 'id'.");
};

async function lockCheckout(tx: WritableStore, args: CheckoutRef): Promise<CheckoutRecord> {
  const checkout = await tx.lock('Checkout', pkOfCheckout(args));
  if (!checkout)
    throw refuse(
      'id',
      'NOT_FOUND',
      `Couldn't resolve to a node: ${args.id ?? args.checkoutId ?? args.token}`,
    );
  return checkout;
}

const change = (
  ctx: ShopContext,
  args: CheckoutRef,
  apply: (tx: WritableStore, checkout: CheckoutRecord, now: string) => Promise<CheckoutRecord>,
) =>
  payload(() =>
    mutate(ctx, async (tx) => {
      const checkout = await apply(tx, await lockCheckout(tx, args), timestamp(ctx.shop));
      await tx.put('Checkout', checkout);
      return { checkout };
    }),
  );

const changeLines = (ctx: ShopContext, args: CheckoutRef & { lines: LineInput[] }, set: boolean) =>
  change(ctx, args, async (tx, checkout) => {
    const channel = (await tx.get('Channel', checkout.channel))!;
    return withLines(tx, checkout, { channel, lines: args.lines, now: ctx.shop.now(), set });
  });

interface CreateInput {
  channel?: string | null;
  lines: LineInput[];
  email?: string | null;
  billingAddress?: AddressInput | null;
  shippingAddress?: AddressInput | null;
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}

async function createCheckout(
  ctx: ShopContext,
  tx: WritableStore,
  input: CreateInput,
): Promise<CheckoutRecord> {
  const requestor = await ctx.requestor();
  const channel = await channelBySlug(tx, input.channel ?? (await defaultChannelSlug(tx)));
  if (!channel) throw refuse('channel', 'NOT_FOUND', `Channel with '${input.channel}' slug does not exist.`);
  if (!channel.isActive)
    throw refuse('channel', 'CHANNEL_INACTIVE', `Channel with '${channel.slug}' is inactive.`);
  if (input.privateMetadata?.length && !has(requestor, 'MANAGE_CHECKOUTS'))
    throw permissionDenied('MANAGE_CHECKOUTS');
  if (input.email && !email.test(input.email))
    throw refuse('email', 'INVALID', 'Enter a valid email address.');
  const now = timestamp(ctx.shop);
  const user = requestor.kind === 'user' ? requestor.user : null;
  const about = { user: user?.pk ?? null, now };
  const blank: CheckoutRecord = {
    pk: newUuid(),
    channel: channel.pk,
    currency: channel.currencyCode,
    created: now,
    user: user?.pk ?? null,
    email: input.email ?? user?.email ?? null,
    billingAddress: input.billingAddress
      ? (await addressFromInput(tx, input.billingAddress, { ...about, addressType: 'BILLING' })).pk
      : null,
    shippingAddress: input.shippingAddress
      ? (await addressFromInput(tx, input.shippingAddress, { ...about, addressType: 'SHIPPING' })).pk
      : null,
    lines: [],
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
    updatedAt: now,
  };
  return withLines(tx, blank, { channel, lines: input.lines, now: ctx.shop.now(), set: false });
}

export const checkoutQueries = {
  /** Whoever knows a checkout's id may see it: the id is the secret. */
  checkout: (_: unknown, args: { id?: string | null; token?: string | null }, ctx: ShopContext) =>
    ctx.store.get('Checkout', pkOfCheckout(args)),
};

export const checkoutMutations = {
  checkoutCreate: (_: unknown, { input }: { input: CreateInput }, ctx: ShopContext) =>
    payload(() =>
      mutate(ctx, async (tx) => {
        const checkout = await createCheckout(ctx, tx, input);
        await tx.put('Checkout', checkout);
        return { created: true, checkout };
      }),
    ),
  checkoutLinesAdd: (_: unknown, args: CheckoutRef & { lines: LineInput[] }, ctx: ShopContext) =>
    changeLines(ctx, args, false),
  checkoutLinesUpdate: (_: unknown, args: CheckoutRef & { lines: LineInput[] }, ctx: ShopContext) =>
    changeLines(ctx, args, true),
  checkoutLineDelete: (_: unknown, args: CheckoutRef & { lineId?: string | null }, ctx: ShopContext) =>
    change(ctx, args, async (_tx, checkout, now) => {
      const pk = pkOf('CheckoutLine', args.lineId ?? '');
      return { ...checkout, lines: checkout.lines.filter((line) => line.pk !== pk), updatedAt: now };
    }),
  checkoutBillingAddressUpdate: (
    _: unknown,
    args: CheckoutRef & { billingAddress: AddressInput },
    ctx: ShopContext,
  ) =>
    change(ctx, args, async (tx, checkout, now) => {
      const address = await addressFromInput(tx, args.billingAddress, {
        user: checkout.user,
        now,
        addressType: 'BILLING',
      });
      return { ...checkout, billingAddress: address.pk, updatedAt: now };
    }),
  checkoutEmailUpdate: (_: unknown, args: CheckoutRef & { email: string }, ctx: ShopContext) =>
    change(ctx, args, async (_tx, checkout, now) => {
      if (!email.test(args.email)) throw refuse('email', 'INVALID', 'Enter a valid email address.');
      return { ...checkout, email: args.email, updatedAt: now };
    }),
  checkoutCustomerAttach: async (
    _: unknown,
    args: CheckoutRef & { customerId?: string | null },
    ctx: ShopContext,
  ) => {
    const requestor = await ctx.requestor();
    if (requestor.kind === 'anonymous') throw permissionDenied('AUTHENTICATED_APP', 'AUTHENTICATED_USER');
    return change(ctx, args, async (tx, checkout, now) => {
      const other = args.customerId ? pkOf('User', args.customerId) : undefined;
      if (
        other &&
        !(requestor.kind === 'user' && requestor.user.pk === other) &&
        !has(requestor, 'IMPERSONATE_USER')
      )
        throw permissionDenied('IMPERSONATE_USER');
      if (checkout.user) throw permissionDenied();
      const user = await tx.get('User', other ?? (requestor.kind === 'user' ? requestor.user.pk : ''));
      if (!user) throw refuse('customerId', 'NOT_FOUND', "Couldn't resolve to a node.");
      return { ...checkout, user: user.pk, email: user.email, updatedAt: now };
    });
  },
  checkoutComplete: (
    _: unknown,
    args: CheckoutRef & { metadata?: { key: string; value: string }[] | null; redirectUrl?: string | null },
    ctx: ShopContext,
  ) =>
    payload(
      () =>
        mutate(ctx, async (tx) => ({
          order: await completeCheckout(ctx, tx, {
            pk: pkOfCheckout(args),
            metadata: fromInput(args.metadata, 'metadata'),
            redirectUrl: args.redirectUrl ?? null,
          }),
          confirmationNeeded: false,
        })),
      { confirmationNeeded: false },
    ),
};
