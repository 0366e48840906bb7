import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { countryOf } from './countries.ts';
import { addressFromInput, type AddressInput } from './addresses.ts';
import { ShopError, refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput, idField, metadataFields } from './metadata.ts';
import { pageOf, type PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import type { CategoryRecord, ChannelRecord, WarehouseRecord } from './records.ts';
import { slugOf } from './slugs.ts';
import { newUuid, type Store, type WritableStore } from './store.ts';

interface Pairs {
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}
interface ChannelInput extends Pairs {
  name?: string | null;
  slug?: string | null;
  currencyCode?: string;
  defaultCountry?: string | null;
  isActive?: boolean | null;
  addWarehouses?: string[] | null;
  removeWarehouses?: string[] | null;
  orderSettings?: {
    automaticallyConfirmAllNewOrders?: boolean | null;
    allowUnpaidOrders?: boolean | null;
    markAsPaidStrategy?: ChannelRecord['markAsPaidStrategy'] | null;
  } | null;
}

interface WarehouseFilter {
  search?: string | null;
  ids?: string[] | null;
  slugs?: string[] | null;
}

/** The channel of a slug; undefined when there is none. */
export const channelBySlug = async (store: Store, slug: string): Promise<ChannelRecord | undefined> =>
  (await store.find('Channel', 'slug', slug))[0];

/** What a list without a channel shows to the public: the only active channel there is. */
export async function defaultChannelSlug(store: Store): Promise<string> {
  const active = (await store.all('Channel')).filter((channel) => channel.isActive);
  if (active.length !== 1) throw new ShopError('Default channel does not exist.');
  return active[0]!.slug;
}

/** Two things of a kind may not share a slug. */
export async function checkSlug(
  tx: Store,
  kind: 'Attribute' | 'Channel' | 'Category' | 'ProductType' | 'Product' | 'Warehouse',
  slug: string,
  own?: string,
): Promise<void> {
  const taken = (await tx.find(kind, 'slug', slug)).some((other) => other.pk !== own);
  if (taken) throw refuse('slug', 'UNIQUE', `${kind} with this Slug already exists.`);
}

function settings(old: ChannelRecord, input: ChannelInput, now: string): ChannelRecord {
  const added = (input.addWarehouses ?? []).map((id) => pkOf('Warehouse', id));
  const removed = (input.removeWarehouses ?? []).map((id) => pkOf('Warehouse', id));
  return {
    ...old,
    name: input.name ?? old.name,
    slug: input.slug ?? old.slug,
    isActive: input.isActive ?? old.isActive,
    defaultCountry: input.defaultCountry ?? old.defaultCountry,
    warehouses: [...new Set([...old.warehouses, ...added])].filter((pk) => !removed.includes(pk)),
    automaticallyConfirmAllNewOrders:
      input.orderSettings?.automaticallyConfirmAllNewOrders ?? old.automaticallyConfirmAllNewOrders,
    allowUnpaidOrders: input.orderSettings?.allowUnpaidOrders ?? old.allowUnpaidOrders,
    markAsPaidStrategy: input.orderSettings?.markAsPaidStrategy ?? old.markAsPaidStrategy,
    metadata: { ...old.metadata, ...fromInput(input.metadata, 'metadata') },
    privateMetadata: { ...old.privateMetadata, ...fromInput(input.privateMetadata, 'privateMetadata') },
    updatedAt: now,
  };
}

async function createChannel(tx: WritableStore, input: ChannelInput, now: string): Promise<ChannelRecord> {
  await checkSlug(tx, 'Channel', input.slug ?? '');
  const blank: ChannelRecord = {
    pk: await tx.nextPk('Channel'),
    slug: '',
    name: '',
    isActive: false,
    currencyCode: input.currencyCode ?? 'USD',
    defaultCountry: 'US',
    warehouses: [],
    automaticallyConfirmAllNewOrders: true,
    allowUnpaidOrders: false,
    markAsPaidStrategy: 'PAYMENT_FLOW',
    metadata: {},
    privateMetadata: {},
    updatedAt: now,
  };
  return settings(blank, input, now);
}

export const catalogueMutations = {
  channelCreate: (_: unknown, { input }: { input: ChannelInput }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_CHANNELS']);
      return mutate(ctx, async (tx) => {
        const channel = await createChannel(tx, input, timestamp(ctx.shop));
        await tx.put('Channel', channel);
        return { channel };
      });
    }),
  channelUpdate: (_: unknown, { id, input }: { id: string; input: ChannelInput }, ctx: ShopContext) =>
    payload(async () => {
      // Saleor lets order managers change the order settings alone.
      const orderSettingsOnly = Object.keys(input).every((key) => key === 'orderSettings');
      await requirePermission(
        ctx,
        orderSettingsOnly ? ['MANAGE_CHANNELS', 'MANAGE_ORDERS'] : ['MANAGE_CHANNELS'],
      );
      return mutate(ctx, async (tx) => {
        const old = await tx.lock('Channel', pkOf('Channel', id));
        if (!old) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
        if (input.slug) await checkSlug(tx, 'Channel', input.slug, old.pk);
        const channel = settings(old, input, timestamp(ctx.shop));
        await tx.put('Channel', channel);
        return { channel };
      });
    }),
  createWarehouse: (
    _: unknown,
    { input }: { input: { name: string; slug?: string; email?: string; address: AddressInput } },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_PRODUCTS']);
      return mutate(ctx, async (tx) => {
        const now = timestamp(ctx.shop);
        const slug = input.slug ?? slugOf(input.name);
        await checkSlug(tx, 'Warehouse', slug);
        const address = await addressFromInput(tx, input.address, { user: null, now });
        const warehouse: WarehouseRecord = {
          pk: newUuid(),
          name: input.name,
          slug,
          email: input.email ?? '',
          address: address.pk,
          metadata: {},
          privateMetadata: {},
          updatedAt: now,
        };
        await tx.put('Warehouse', warehouse);
        return { warehouse };
      });
    }),
  categoryCreate: (
    _: unknown,
    args: { input: Pairs & { name?: string; slug?: string; description?: string }; parent?: string | null },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_PRODUCTS']);
      return mutate(ctx, async (tx) => {
        const { input } = args;
        if (!input.name) throw refuse('name', 'REQUIRED', 'This field cannot be blank.');
        const slug = input.slug ?? slugOf(input.name);
        await checkSlug(tx, 'Category', slug);
        const category: CategoryRecord = {
          pk: await tx.nextPk('Category'),
          name: input.name,
          slug,
          description: input.description ?? null,
          parent: args.parent ? pkOf('Category', args.parent) : null,
          metadata: fromInput(input.metadata, 'metadata'),
          privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
          updatedAt: timestamp(ctx.shop),
        };
        await tx.put('Category', category);
        return { category };
      });
    }),
};

export const catalogueQueries = {
  channel: async (_: unknown, args: { id?: string | null; slug?: string | null }, ctx: ShopContext) =>
    args.id
      ? ctx.store.get('Channel', pkOf('Channel', args.id))
      : args.slug
        ? channelBySlug(ctx.store, args.slug)
        : null,
  channels: async (_: unknown, _args: unknown, ctx: ShopContext) => {
    const requestor = await ctx.requestor();
    if (requestor.kind === 'anonymous' || (requestor.kind === 'user' && !requestor.user.isStaff))
      throw new ShopError(
        'To access this path, you need one of the following permissions: AUTHENTICATED_APP, AUTHENTICATED_STAFF_USER',
        'PermissionDenied',
      );
    return ctx.store.all('Channel');
  },
  warehouses: async (_: unknown, args: PageArgs & { filter?: WarehouseFilter | null }, ctx: ShopContext) => {
    await requirePermission(ctx, ['MANAGE_PRODUCTS', 'MANAGE_ORDERS', 'MANAGE_SHIPPING']);
    const ids = args.filter?.ids?.map((id) => pkOf('Warehouse', id));
    const search = args.filter?.search?.toLowerCase();
    const found = (await ctx.store.all('Warehouse')).filter(
      (one) =>
        (!ids || ids.includes(one.pk)) &&
        (!args.filter?.slugs || args.filter.slugs.includes(one.slug)) &&
        (!search || one.name.toLowerCase().includes(search)),
    );
    return pageOf('warehouses', found, { ...args, keyOf: (one) => one.pk });
  },
  categories: async (_: unknown, args: PageArgs, ctx: ShopContext) =>
    pageOf('categories', await ctx.store.all('Category'), { ...args, keyOf: (one) => one.pk }),
  category: async (_: unknown, args: { id?: string | null; slug?: string | null }, ctx: ShopContext) =>
    args.id
      ? ctx.store.get('Category', pkOf('Category', args.id))
      : args.slug
        ? (await ctx.store.find('Category', 'slug', args.slug))[0]
        : null,
};

export const catalogueTypes = {
  Channel: {
    ...idField('Channel'),
    ...metadataFields('Channel'),
    defaultCountry: (channel: ChannelRecord) => countryOf(channel.defaultCountry),
    hasOrders: async (channel: ChannelRecord, _: unknown, ctx: ShopContext) => {
      const rows = await ctx.store.sql(
        `-- hasOrders\n select 1 from document where kind = 'Order' and data ->> 'channel' = $1 limit 1`,
        [channel.pk],
      );
      return rows.length > 0;
    },
    warehouses: async (channel: ChannelRecord, _: unknown, ctx: ShopContext) => [
      ...(await ctx.store.many('Warehouse', channel.warehouses)).values(),
    ],
    orderSettings: (channel: ChannelRecord) => channel,
    checkoutSettings: () => ({ useLegacyErrorFlow: true, automaticallyCompleteFullyPaidCheckouts: false }),
    paymentSettings: () => ({ defaultTransactionFlowStrategy: 'CHARGE' }),
  },
  Warehouse: {
    ...idField('Warehouse'),
    ...metadataFields('Warehouse'),
    isPrivate: () => true,
    companyName: () => '',
    address: (warehouse: WarehouseRecord, _: unknown, ctx: ShopContext) =>
      ctx.store.get('Address', warehouse.address),
  },
  Category: {
    ...idField('Category'),
    ...metadataFields('Category'),
    parent: (category: CategoryRecord, _: unknown, ctx: ShopContext) =>
      category.parent ? ctx.store.get('Category', category.parent) : null,
    level: async (category: CategoryRecord, _: unknown, ctx: ShopContext) => {
      let level = 0;
      for (let up = category.parent; up; up = (await ctx.store.get('Category', up))?.parent ?? null)
        level += 1;
      return level;
    },
  },
};
