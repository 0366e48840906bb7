import { valuesAfter, type AttributeValueInput } from './attribute-values.ts';
import { checkSlug } from './catalogue.ts';
import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { InputErrors, refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput } from './metadata.ts';
import { toMinor } from './money.ts';
import { payload } from './payload.ts';
import { attributesOf } from './product-types.ts';
import type { ChannelRecord, ProductListing, ProductRecord, VariantRecord } from './records.ts';
import { slugOf } from './slugs.ts';
import type { WritableStore } from './store.ts';

interface Pairs {
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}
interface ProductInput extends Pairs {
  attributes?: AttributeValueInput[] | null;
  name?: string | null;
  slug?: string | null;
  description?: string | null;
  category?: string | null;
  externalReference?: string | null;
  productType?: string;
}
interface VariantInput extends Pairs {
  attributes?: AttributeValueInput[] | null;
  sku?: string | null;
  name?: string | null;
  trackInventory?: boolean | null;
  quantityLimitPerCustomer?: number | null;
  externalReference?: string | null;
  product?: string;
  stocks?: StockInput[] | null;
}
interface StockInput {
  warehouse: string;
  quantity: number;
}
interface ListingInput {
  channelId: string;
  isPublished?: boolean | null;
  publishedAt?: string | null;
  visibleInListings?: boolean | null;
  isAvailableForPurchase?: boolean | null;
  availableForPurchaseAt?: string | null;
}

const notFound = (id: string) => refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);

async function channelOf(tx: WritableStore, id: string): Promise<ChannelRecord> {
  const channel = await tx.get('Channel', pkOf('Channel', id));
  if (!channel) throw refuse('channelId', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
  return channel;
}

async function lockProduct(tx: WritableStore, id: string): Promise<ProductRecord> {
  const product = await tx.lock('Product', pkOf('Product', id));
  if (!product) throw notFound(id);
  return product;
}

async function lockVariant(
  tx: WritableStore,
  args: { id?: string | null; sku?: string | null },
): Promise<VariantRecord> {
  const pk = args.id
    ? pkOf('ProductVariant', args.id)
    : (await tx.find('ProductVariant', 'sku', args.sku ?? ''))[0]?.pk;
  const variant = pk && (await tx.lock('ProductVariant', pk));
  if (!variant) throw notFound(args.id ?? args.sku ?? '');
  return variant;
}

async function checkSku(tx: WritableStore, sku: string | null | undefined, own?: string): Promise<void> {
  if (sku && (await tx.find('ProductVariant', 'sku', sku)).some((other) => other.pk !== own))
    throw refuse('sku', 'UNIQUE', 'Product variant with this SKU already exists.');
}

/** One product's listing in one channel after the input; what the input leaves out stays. */
async function listingAfter(
  tx: WritableStore,
  old: ProductListing | undefined,
  input: ListingInput & { channel: string; now: string },
): Promise<ProductListing> {
  const isPublished = input.isPublished ?? old?.isPublished ?? false;
  const availableForPurchaseAt =
    input.isAvailableForPurchase == null
      ? (old?.availableForPurchaseAt ?? null)
      : input.isAvailableForPurchase
        ? (input.availableForPurchaseAt ?? input.now)
        : null;
  return {
    pk: old?.pk ?? (await tx.nextPk('ProductChannelListing')),
    channel: input.channel,
    isPublished,
    publishedAt: input.publishedAt ?? old?.publishedAt ?? (isPublished ? input.now : null),
    visibleInListings: input.visibleInListings ?? old?.visibleInListings ?? false,
    availableForPurchaseAt,
  };
}

async function stocksAfter(
  tx: WritableStore,
  old: VariantRecord['stocks'],
  input: readonly StockInput[],
): Promise<VariantRecord['stocks']> {
  const stocks = [...old];
  for (const { warehouse: id, quantity } of input) {
    const warehouse = pkOf('Warehouse', id);
    if (!(await tx.get('Warehouse', warehouse)))
      throw refuse('warehouse', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
    const at = stocks.findIndex((stock) => stock.warehouse === warehouse);
    if (at >= 0) stocks[at] = { ...stocks[at]!, quantity };
    else stocks.push({ pk: await tx.nextPk('Stock'), warehouse, quantity, allocated: 0 });
  }
  return stocks;
}

const asNode = <T>(record: T) => ({ record, channel: null });

async function createProduct(tx: WritableStore, input: ProductInput, now: string): Promise<ProductRecord> {
  const type = await tx.get('ProductType', pkOf('ProductType', input.productType ?? ''));
  if (!type) throw refuse('productType', 'NOT_FOUND', `Couldn't resolve to a node: ${input.productType}`);
  if (!input.name) throw refuse('name', 'REQUIRED', 'This field cannot be blank.');
  const slug = input.slug ?? slugOf(input.name);
  await checkSlug(tx, 'Product', slug);
  const pk = await tx.nextPk('Product');
  return {
    pk,
    name: input.name,
    slug,
    description: input.description ?? null,
    productType: type.pk,
    category: input.category ? pkOf('Category', input.category) : null,
    externalReference: input.externalReference ?? null,
    created: now,
    listings: [],
    attributes: await valuesAfter(
      tx,
      {
        kind: 'Product',
        pk,
        attributes: await attributesOf(tx, type, 'productAttributes'),
        values: undefined,
      },
      input.attributes ?? [],
    ),
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
    updatedAt: now,
  };
}

async function createVariant(tx: WritableStore, input: VariantInput, now: string): Promise<VariantRecord> {
  const product = await lockProduct(tx, input.product ?? '');
  const type = await tx.get('ProductType', product.productType);
  const siblings = await tx.find('ProductVariant', 'product', product.pk);
  if (type && !type.hasVariants && siblings.length > 0)
    throw refuse('product', 'INVALID', 'A variant already exists for a product without variants.');
  await checkSku(tx, input.sku);
  const pk = await tx.nextPk('ProductVariant');
  return {
    pk,
    product: product.pk,
    name: input.name ?? '',
    sku: input.sku ?? null,
    trackInventory: input.trackInventory ?? true,
    quantityLimitPerCustomer: input.quantityLimitPerCustomer ?? null,
    externalReference: input.externalReference ?? null,
    created: now,
    listings: [],
    stocks: await stocksAfter(tx, [], input.stocks ?? []),
    attributes: await valuesAfter(
      tx,
      {
        kind: 'ProductVariant',
        pk,
        attributes: await attributesOf(tx, type, 'variantAttributes'),
        values: undefined,
      },
      input.attributes ?? [],
    ),
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
    updatedAt: now,
  };
}

/** Every mutation here needs MANAGE_PRODUCTS and runs in one transaction. */
const edit = <T extends object>(ctx: ShopContext, work: (tx: WritableStore, now: string) => Promise<T>) =>
  payload(async () => {
    await requirePermission(ctx, ['MANAGE_PRODUCTS']);
    return mutate(ctx, (tx) => work(tx, timestamp(ctx.shop)));
  });

export const productMutations = {
  productCreate: (_: unknown, { input }: { input: ProductInput }, ctx: ShopContext) =>
    edit(ctx, async (tx, now) => {
      const product = await createProduct(tx, input, now);
      await tx.put('Product', product);
      return { product: asNode(product) };
    }),
  productUpdate: (_: unknown, { id, input }: { id: string; input: ProductInput }, ctx: ShopContext) =>
    edit(ctx, async (tx, now) => {
      const old = await lockProduct(tx, id);
      if (input.slug) await checkSlug(tx, 'Product', input.slug, old.pk);
      const product: ProductRecord = {
        ...old,
        name: input.name ?? old.name,
        slug: input.slug ?? old.slug,
        description: input.description === undefined ? old.description : input.description,
        category: input.category ? pkOf('Category', input.category) : old.category,
        externalReference: input.externalReference ?? old.externalReference,
        attributes: await valuesAfter(
          tx,
          {
            kind: 'Product',
            pk: old.pk,
            attributes: await attributesOf(
              tx,
              await tx.get('ProductType', old.productType),
              'productAttributes',
            ),
            values: old.attributes ?? {},
          },
          input.attributes ?? [],
        ),
        metadata: { ...old.metadata, ...fromInput(input.metadata, 'metadata') },
        privateMetadata: { ...old.privateMetadata, ...fromInput(input.privateMetadata, 'privateMetadata') },
        updatedAt: now,
      };
      await tx.put('Product', product);
      return { product: asNode(product) };
    }),
  productChannelListingUpdate: (
    _: unknown,
    {
      id,
      input,
    }: { id: string; input: { updateChannels?: ListingInput[] | null; removeChannels?: string[] | null } },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockProduct(tx, id);
      const published = (input.updateChannels ?? []).filter(
        (one) => one.isPublished || one.isAvailableForPurchase,
      );
      if (!old.category && published.length)
        throw new InputErrors({
          field: 'isPublished',
          code: 'PRODUCT_WITHOUT_CATEGORY',
          message: 'You must select a category to be able to publish.',
          channels: published.map((one) => one.channelId),
        });
      const removed = (input.removeChannels ?? []).map((channel) => pkOf('Channel', channel));
      const listings = old.listings.filter((listing) => !removed.includes(listing.channel));
      for (const update of input.updateChannels ?? []) {
        const channel = await channelOf(tx, update.channelId);
        const at = listings.findIndex((listing) => listing.channel === channel.pk);
        const next = await listingAfter(tx, listings[at], { ...update, channel: channel.pk, now });
        if (at >= 0) listings[at] = next;
        else listings.push(next);
      }
      const product = { ...old, listings, updatedAt: now };
      await tx.put('Product', product);
      return { product: asNode(product) };
    }),
  productVariantCreate: (_: unknown, { input }: { input: VariantInput }, ctx: ShopContext) =>
    edit(ctx, async (tx, now) => {
      const variant = await createVariant(tx, input, now);
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
  productVariantUpdate: (_: unknown, { id, input }: { id: string; input: VariantInput }, ctx: ShopContext) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, { id });
      await checkSku(tx, input.sku, old.pk);
      const product = await tx.get('Product', old.product);
      const type = product && (await tx.get('ProductType', product.productType));
      const variant: VariantRecord = {
        ...old,
        sku: input.sku ?? old.sku,
        name: input.name ?? old.name,
        trackInventory: input.trackInventory ?? old.trackInventory,
        quantityLimitPerCustomer: input.quantityLimitPerCustomer ?? old.quantityLimitPerCustomer,
        externalReference: input.externalReference ?? old.externalReference,
        attributes: await valuesAfter(
          tx,
          {
            kind: 'ProductVariant',
            pk: old.pk,
            attributes: await attributesOf(tx, type, 'variantAttributes'),
            values: old.attributes ?? {},
          },
          input.attributes ?? [],
        ),
        metadata: { ...old.metadata, ...fromInput(input.metadata, 'metadata') },
        privateMetadata: { ...old.privateMetadata, ...fromInput(input.privateMetadata, 'privateMetadata') },
        updatedAt: now,
      };
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
  /** Order lines keep the variant's id and sku as text and lose the variant. */
  productVariantDelete: (_: unknown, args: { id?: string | null; sku?: string | null }, ctx: ShopContext) =>
    edit(ctx, async (tx) => {
      const variant = await lockVariant(tx, args);
      await tx.remove('ProductVariant', variant.pk);
      await tx.sql(
        `-- dropCheckoutLines
         update document set data = jsonb_set(data, '{lines}',
           (select coalesce(jsonb_agg(line), '[]') from jsonb_array_elements(data -> 'lines') line where line ->> 'variant' <> $1))
         where kind = 'Checkout' and data -> 'lines' @> $2::jsonb`,
        [variant.pk, JSON.stringify([{ variant: variant.pk }])],
      );
      return { productVariant: asNode(variant) };
    }),
  productVariantChannelListingUpdate: (
    _: unknown,
    args: { id?: string | null; sku?: string | null; input: { channelId: string; price: string }[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, args);
      const product = await tx.get('Product', old.product);
      const listings = [...old.listings];
      for (const { channelId, price: decimal } of args.input) {
        const channel = await channelOf(tx, channelId);
        if (!product?.listings.some((listing) => listing.channel === channel.pk))
          throw refuse('channelId', 'PRODUCT_NOT_ASSIGNED_TO_CHANNEL', 'Product not available in channels.');
        const price = toMinor(decimal, channel.currencyCode) ?? 0;
        const at = listings.findIndex((listing) => listing.channel === channel.pk);
        if (at >= 0) listings[at] = { ...listings[at]!, price };
        else
          listings.push({ pk: await tx.nextPk('ProductVariantChannelListing'), channel: channel.pk, price });
      }
      const variant = { ...old, listings, updatedAt: now };
      await tx.put('ProductVariant', variant);
      return { variant: asNode(variant) };
    }),
  productVariantStocksCreate: (
    _: unknown,
    args: { variantId: string; stocks: StockInput[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, { id: args.variantId });
      const warehouses = args.stocks.map(({ warehouse }) => pkOf('Warehouse', warehouse));
      const refused = (code: string, message: string, found: (pk: string, at: number) => boolean) =>
        warehouses.flatMap((pk, index) =>
          found(pk, index) ? [{ field: 'warehouse', code, message, index }] : [],
        );
      const faults = [
        ...refused(
          'DUPLICATED_INPUT_ITEM',
          'Duplicated warehouse ID.',
          (pk, at) => warehouses.indexOf(pk) !== at,
        ),
        ...refused('UNIQUE', 'Stock for this warehouse already exists for this product variant.', (pk) =>
          old.stocks.some((stock) => stock.warehouse === pk),
        ),
      ];
      if (faults.length) throw new InputErrors(...faults);
      const variant = { ...old, stocks: await stocksAfter(tx, old.stocks, args.stocks), updatedAt: now };
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
  productVariantStocksUpdate: (
    _: unknown,
    args: { variantId?: string | null; sku?: string | null; stocks: StockInput[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, { id: args.variantId ?? null, sku: args.sku ?? null });
      const variant = { ...old, stocks: await stocksAfter(tx, old.stocks, args.stocks), updatedAt: now };
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
};
