import type { ShopContext } from './context.ts';
import { seesWholeCatalogue } from './context.ts';
import { channelBySlug, defaultChannelSlug } from './catalogue.ts';
import type { ChannelRecord, InChannel, ProductListing, ProductRecord, VariantRecord } from './records.ts';

/** How a requestor looks at the catalogue: through one channel, or (staff and apps only) at all of it. */
export interface View {
  readonly channel: ChannelRecord | null;
  readonly slug: string | null;
  readonly whole: boolean;
  readonly now: number;
}

/** The view for a `channel` argument; undefined when the slug is unknown. Without one, the public gets the default channel. */
export async function viewOf(ctx: ShopContext, slug: string | null | undefined): Promise<View | undefined> {
  const whole = seesWholeCatalogue(await ctx.requestor());
  const wanted = slug ?? (whole ? null : await defaultChannelSlug(ctx.store));
  if (wanted === null) return { channel: null, slug: null, whole, now: ctx.shop.now().getTime() };
  const channel = await channelBySlug(ctx.store, wanted);
  return channel && { channel, slug: wanted, whole, now: ctx.shop.now().getTime() };
}

const listingIn = (product: ProductRecord, channel: ChannelRecord): ProductListing | undefined =>
  product.listings.find((listing) => listing.channel === channel.pk);

const isPublished = (listing: ProductListing, now: number): boolean =>
  listing.isPublished && (listing.publishedAt === null || Date.parse(listing.publishedAt) <= now);

/** Whether the product exists for this view. */
export function shows(view: View, product: ProductRecord): boolean {
  if (!view.channel) return view.whole;
  const listing = listingIn(product, view.channel);
  return listing !== undefined && (view.whole || (view.channel.isActive && isPublished(listing, view.now)));
}

/** Whether a variant of that product exists for this view: it must have a price in the channel. */
export const showsVariant = (view: View, product: ProductRecord, variant: VariantRecord): boolean =>
  shows(view, product) && (!view.channel || priceOf(variant, view.channel) !== undefined);

/** The price in minor units of the channel's currency. */
export const priceOf = (variant: VariantRecord, channel: ChannelRecord): number | undefined =>
  variant.listings.find((listing) => listing.channel === channel.pk)?.price;

/** Whether the product may be bought in the channel now. */
export function isForSale(product: ProductRecord, channel: ChannelRecord, now: number): boolean {
  const listing = listingIn(product, channel);
  const from = listing?.availableForPurchaseAt;
  return !!listing && channel.isActive && isPublished(listing, now) && !!from && Date.parse(from) <= now;
}

export const inView = <T>(view: View, record: T): InChannel<T> => ({ record, channel: view.slug });
