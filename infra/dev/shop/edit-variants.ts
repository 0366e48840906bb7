import { valuesAfter, type AttributeValueInput } from './attribute-values.ts';
import type { ShopContext } from './context.ts';
import { stocksAfter, type StockInput } from './edit-stocks.ts';
import { asNode, channelOf, edit, lockProduct, lockVariant, type Pairs } from './edits.ts';
import { refuse } from './errors.ts';
import { fromInput } from './metadata.ts';
import { toMinor } from './money.ts';
import type { VariantRecord } from './records.ts';
import type { WritableStore } from './store.ts';

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
async function checkSku(tx: WritableStore, sku: string | null | undefined, own?: string): Promise<void> {
  if (sku && (await tx.find('ProductVariant', 'sku', sku)).some((other) => other.pk !== own))
    throw refuse('sku', 'UNIQUE', 'Product variant with this SKU already exists.');
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
      { kind: 'ProductVariant', pk, type, values: undefined },
      input.attributes ?? [],
    ),
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: fromInput(input.privateMetadata, 'privateMetadata'),
    updatedAt: now,
  };
}

export const variantMutations = {
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
          { kind: 'ProductVariant', pk: old.pk, type, values: old.attributes ?? {} },
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
};
