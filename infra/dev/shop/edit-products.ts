import { valuesAfter, type AttributeValueInput } from './attribute-values.ts';
import { checkSlug } from './catalogue.ts';
import type { ShopContext } from './context.ts';
import { asNode, channelOf, edit, lockProduct, type Pairs } from './edits.ts';
import { InputErrors, refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput } from './metadata.ts';
import type { ProductListing, ProductRecord } from './records.ts';
import { slugOf } from './slugs.ts';
import type { WritableStore } from './store.ts';

interface ProductInput extends Pairs {
  attributes?: AttributeValueInput[] | null;
  name?: string | null;
  slug?: string | null;
  description?: string | null;
  category?: string | null;
  externalReference?: string | null;
  productType?: string;
}
interface ListingInput {
  channelId: string;
  isPublished?: boolean | null;
  publishedAt?: string | null;
  visibleInListings?: boolean | null;
  isAvailableForPurchase?: boolean | null;
  availableForPurchaseAt?: string | null;
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
      { kind: 'Product', pk, type, values: undefined },
      input.attributes ?? [],
    ),
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
    updatedAt: now,
  };
}

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
            type: await tx.get('ProductType', old.productType),
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
};
