import { selectedAttributes } from './attributes.ts';
import { seesWholeCatalogue, type ShopContext } from './context.ts';
import { channelBySlug } from './catalogue.ts';
import { requirePermission } from './context.ts';
import { pkOf, toId } from './global-id.ts';
import { inView, isForSale, priceOf, shows, showsVariant, viewOf, type View } from './listings.ts';
import { idField, metadataFields } from './metadata.ts';
import { taxed } from './money.ts';
import { pageOf, type PageArgs } from './pages.ts';
import type { InChannel, ProductListing, ProductRecord, VariantRecord } from './records.ts';

type Product = InChannel<ProductRecord>;
type Variant = InChannel<VariantRecord>;
interface StringFilter {
  eq?: string | null;
  oneOf?: string[] | null;
}
interface ProductFilters {
  filter?: {
    isPublished?: boolean | null;
    search?: string | null;
    ids?: string[] | null;
    slugs?: string[] | null;
    productTypes?: string[] | null;
  } | null;
  where?: {
    ids?: string[] | null;
    slug?: StringFilter | null;
    name?: StringFilter | null;
    productType?: StringFilter | null;
  } | null;
  search?: string | null;
}

const matches = (value: string, filter: StringFilter | null | undefined): boolean =>
  !filter || ((filter.eq == null || filter.eq === value) && (!filter.oneOf || filter.oneOf.includes(value)));

function passes(product: ProductRecord, view: View, { filter, where, search }: ProductFilters): boolean {
  const words = [search, filter?.search].flatMap((text) => (text ? [text.toLowerCase()] : []));
  const typeId = toId('ProductType', product.productType);
  const published = product.listings.some(
    (listing) => listing.isPublished && (!view.channel || listing.channel === view.channel.pk),
  );
  return (
    words.every((word) => product.name.toLowerCase().includes(word) || product.slug.includes(word)) &&
    (filter?.isPublished == null || filter.isPublished === published) &&
    [filter?.ids, where?.ids].every((ids) => !ids || ids.some((id) => pkOf('Product', id) === product.pk)) &&
    (!filter?.slugs || filter.slugs.includes(product.slug)) &&
    (!filter?.productTypes || filter.productTypes.includes(typeId)) &&
    matches(product.slug, where?.slug) &&
    matches(product.name, where?.name) &&
    matches(typeId, where?.productType)
  );
}

/** Variants of a product that the view shows, in the order they were made. */
async function variantsIn(ctx: ShopContext, view: View, product: ProductRecord): Promise<Variant[]> {
  const variants = await ctx.store.find('ProductVariant', 'product', product.pk);
  return variants
    .filter((variant) => view.whole || showsVariant(view, product, variant))
    .map((variant) => inView(view, variant));
}

/** A resolved product keeps the channel it was found through. */
const viewAs = async (ctx: ShopContext, source: { channel: string | null }): Promise<View> =>
  (await viewOf(ctx, source.channel)) ?? { channel: null, slug: null, whole: false, now: 0 };

export const productQueries = {
  product: async (
    _: unknown,
    args: {
      id?: string | null;
      slug?: string | null;
      externalReference?: string | null;
      channel?: string | null;
    },
    ctx: ShopContext,
  ) => {
    const view = await viewOf(ctx, args.channel);
    const found = args.id
      ? await ctx.store.get('Product', pkOf('Product', args.id))
      : args.slug
        ? (await ctx.store.find('Product', 'slug', args.slug))[0]
        : args.externalReference
          ? (await ctx.store.find('Product', 'externalReference', args.externalReference))[0]
          : undefined;
    return view && found && shows(view, found) ? inView(view, found) : null;
  },
  products: async (
    _: unknown,
    args: PageArgs & ProductFilters & { channel?: string | null },
    ctx: ShopContext,
  ) => {
    const view = await viewOf(ctx, args.channel);
    const listed = (product: ProductRecord): boolean =>
      !view?.channel ||
      view.whole ||
      product.listings.some((listing) => listing.channel === view.channel?.pk && listing.visibleInListings);
    const found = view
      ? (await ctx.store.all('Product')).filter(
          (product) => shows(view, product) && listed(product) && passes(product, view, args),
        )
      : [];
    found.sort((a, b) => (a.slug < b.slug ? -1 : 1));
    const nodes = view ? found.map((product) => inView(view, product)) : [];
    return pageOf('products', nodes, { ...args, keyOf: (node) => node.record.slug });
  },
  productVariant: async (
    _: unknown,
    args: {
      id?: string | null;
      sku?: string | null;
      externalReference?: string | null;
      channel?: string | null;
    },
    ctx: ShopContext,
  ) => {
    const view = await viewOf(ctx, args.channel);
    const found = args.id
      ? await ctx.store.get('ProductVariant', pkOf('ProductVariant', args.id))
      : args.sku
        ? (await ctx.store.find('ProductVariant', 'sku', args.sku))[0]
        : args.externalReference
          ? (await ctx.store.find('ProductVariant', 'externalReference', args.externalReference))[0]
          : undefined;
    const product = found && (await ctx.store.get('Product', found.product));
    return view && product && showsVariant(view, product, found) ? inView(view, found) : null;
  },
  productVariants: async (
    _: unknown,
    args: PageArgs & { ids?: string[] | null; channel?: string | null },
    ctx: ShopContext,
  ) => {
    const view = await viewOf(ctx, args.channel);
    const wanted = args.ids?.map((id) => pkOf('ProductVariant', id));
    const nodes: Variant[] = [];
    for (const variant of view ? await ctx.store.all('ProductVariant') : []) {
      const product = await ctx.store.get('Product', variant.product);
      if (view && product && (!wanted || wanted.includes(variant.pk)) && showsVariant(view, product, variant))
        nodes.push(inView(view, variant));
    }
    return pageOf('productVariants', nodes, { ...args, keyOf: (node) => node.record.pk });
  },
};

export const productTypes = {
  Product: {
    ...idField('Product'),
    ...metadataFields('Product'),
    seoTitle: () => null,
    seoDescription: () => null,
    name: (source: Product) => source.record.name,
    slug: (source: Product) => source.record.slug,
    description: (source: Product) => source.record.description,
    created: (source: Product) => source.record.created,
    updatedAt: (source: Product) => source.record.updatedAt,
    externalReference: (source: Product) => source.record.externalReference,
    productType: (source: Product, _: unknown, ctx: ShopContext) =>
      ctx.store.get('ProductType', source.record.productType),
    category: (source: Product, _: unknown, ctx: ShopContext) =>
      source.record.category ? ctx.store.get('Category', source.record.category) : null,
    channel: (source: Product) => source.channel,
    attributes: async (source: Product, _: unknown, ctx: ShopContext) =>
      selectedAttributes(ctx, await ctx.store.get('ProductType', source.record.productType), {
        of: 'productAttributes',
        values: source.record.attributes,
      }),
    channelListings: async (source: Product, _: unknown, ctx: ShopContext) => {
      await requirePermission(ctx, ['MANAGE_PRODUCTS']);
      return source.record.listings;
    },
    variants: async (source: Product, _: unknown, ctx: ShopContext) =>
      variantsIn(ctx, await viewAs(ctx, source), source.record),
    defaultVariant: async (source: Product, _: unknown, ctx: ShopContext) =>
      (await variantsIn(ctx, await viewAs(ctx, source), source.record))[0] ?? null,
    variant: async (source: Product, args: { id?: string | null; sku?: string | null }, ctx: ShopContext) => {
      const pk = args.id ? pkOf('ProductVariant', args.id) : undefined;
      const variants = await variantsIn(ctx, await viewAs(ctx, source), source.record);
      return variants.find(({ record }) => (pk ? record.pk === pk : record.sku === args.sku)) ?? null;
    },
    productVariants: async (source: Product, args: PageArgs, ctx: ShopContext) =>
      pageOf('productVariants', await variantsIn(ctx, await viewAs(ctx, source), source.record), {
        ...args,
        keyOf: (node) => node.record.pk,
      }),
    pricing: async (source: Product, _: unknown, ctx: ShopContext) => {
      const channel = source.channel === null ? undefined : await channelBySlug(ctx.store, source.channel);
      if (!channel) return null;
      const variants = await ctx.store.find('ProductVariant', 'product', source.record.pk);
      const prices = variants.flatMap((variant) => priceOf(variant, channel) ?? []);
      if (prices.length === 0) return null;
      const range = {
        start: taxed(Math.min(...prices), channel.currencyCode),
        stop: taxed(Math.max(...prices), channel.currencyCode),
      };
      return { onSale: false, displayGrossPrices: true, priceRange: range, priceRangeUndiscounted: range };
    },
    isAvailable: (source: Product, _: unknown, ctx: ShopContext) => forSale(ctx, source),
    isAvailableForPurchase: (source: Product, _: unknown, ctx: ShopContext) => forSale(ctx, source),
    availableForPurchaseAt: async (source: Product, _: unknown, ctx: ShopContext) => {
      const channel = source.channel === null ? undefined : await channelBySlug(ctx.store, source.channel);
      return (
        source.record.listings.find((listing) => listing.channel === channel?.pk)?.availableForPurchaseAt ??
        null
      );
    },
  },
  ProductChannelListing: {
    ...listingId('ProductChannelListing'),
    channel: (listing: ProductListing, _: unknown, ctx: ShopContext) =>
      ctx.store.get('Channel', listing.channel),
    isAvailableForPurchase: (listing: ProductListing, _: unknown, ctx: ShopContext) =>
      listing.availableForPurchaseAt !== null &&
      Date.parse(listing.availableForPurchaseAt) <= ctx.shop.now().getTime(),
  },
  ProductVariant: {
    ...idField('ProductVariant'),
    ...metadataFields('ProductVariant'),
    name: (source: Variant) => source.record.name || source.record.sku || source.record.pk,
    sku: (source: Variant) => source.record.sku,
    trackInventory: (source: Variant) => source.record.trackInventory,
    quantityLimitPerCustomer: (source: Variant) => source.record.quantityLimitPerCustomer,
    externalReference: (source: Variant) => source.record.externalReference,
    created: (source: Variant) => source.record.created,
    updatedAt: (source: Variant) => source.record.updatedAt,
    channel: (source: Variant) => source.channel,
    attributes: async (source: Variant, args: { variantSelection?: string | null }, ctx: ShopContext) => {
      const product = await ctx.store.get('Product', source.record.product);
      // No attribute here is for variant selection.
      if (!product || args.variantSelection === 'VARIANT_SELECTION') return [];
      return selectedAttributes(ctx, await ctx.store.get('ProductType', product.productType), {
        of: 'variantAttributes',
        values: source.record.attributes,
      });
    },
    product: async (source: Variant, _: unknown, ctx: ShopContext) => {
      const record = await ctx.store.get('Product', source.record.product);
      return record && { record, channel: source.channel };
    },
    channelListings: async (source: Variant, _: unknown, ctx: ShopContext) => {
      const requestor = await ctx.requestor();
      if (!seesWholeCatalogue(requestor))
        await requirePermission(ctx, ['MANAGE_PRODUCTS'], ['AUTHENTICATED_APP', 'AUTHENTICATED_STAFF_USER']);
      return source.record.listings;
    },
    pricing: async (source: Variant, _: unknown, ctx: ShopContext) => {
      const channel = source.channel === null ? undefined : await channelBySlug(ctx.store, source.channel);
      const price = channel && priceOf(source.record, channel);
      if (!channel || price === undefined) return null;
      const value = taxed(price, channel.currencyCode);
      return { onSale: false, price: value, priceUndiscounted: value };
    },
    stocks: async (source: Variant, _: unknown, ctx: ShopContext) => {
      await requirePermission(ctx, ['MANAGE_PRODUCTS', 'MANAGE_ORDERS']);
      return source.record.stocks;
    },
    quantityAvailable: (source: Variant) => {
      if (!source.record.trackInventory) return 50;
      const free = source.record.stocks.reduce((sum, stock) => sum + stock.quantity - stock.allocated, 0);
      return Math.max(0, Math.min(50, free));
    },
  },
  ProductVariantChannelListing: {
    ...listingId('ProductVariantChannelListing'),
    channel: (listing: { channel: string }, _: unknown, ctx: ShopContext) =>
      ctx.store.get('Channel', listing.channel),
    price: async (listing: { channel: string; price: number }, _: unknown, ctx: ShopContext) => {
      const channel = await ctx.store.get('Channel', listing.channel);
      return channel && taxed(listing.price, channel.currencyCode).gross;
    },
  },
  Stock: {
    ...listingId('Stock'),
    warehouse: (stock: { warehouse: string }, _: unknown, ctx: ShopContext) =>
      ctx.store.get('Warehouse', stock.warehouse),
    quantityAllocated: (stock: { allocated: number }) => stock.allocated,
  },
};

function listingId(type: string) {
  return { id: (row: { pk: string }) => toId(type, row.pk) };
}

async function forSale(ctx: ShopContext, source: Product): Promise<boolean | null> {
  const channel = source.channel === null ? undefined : await channelBySlug(ctx.store, source.channel);
  return channel ? isForSale(source.record, channel, ctx.shop.now().getTime()) : null;
}
