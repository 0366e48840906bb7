import { askSaleor, SaleorError } from './ask-saleor.ts';
import type { VariantToSell } from './catalogue.ts';
import * as operations from './operations.ts';
import { pairs, unset, type Done, type Id, type Place, type Shop, type Valued } from './shop.ts';

export async function ensureVariant(
  { access, report }: Shop,
  place: Place,
  wanted: VariantToSell & { readonly product: string },
): Promise<string> {
  const what = `variant ${wanted.sku}`;
  const values = [
    { id: place.attributes['billing-period']!, dropdown: { value: wanted.period } },
    { id: place.attributes['included-credits']!, numeric: String(wanted.credits) },
  ];
  // Without a stock row even an untracked variant cannot be bought.
  const stocks = [{ warehouse: place.warehouse, quantity: 1_000_000 }];
  const kind = pairs({ 'agentstore.kind': wanted.kind });
  interface Known extends Id, Valued {
    readonly product: Id;
    readonly kind: string | null;
    readonly channelListings: readonly { readonly channel: Id; readonly price: object | null }[] | null;
    readonly stocks: readonly { readonly warehouse: Id }[] | null;
  }
  const { productVariant: known } = await askSaleor<{ productVariant: Known | null }>(
    access,
    operations.variantBySku,
    { sku: wanted.sku },
  );
  if (known && known.product.id !== wanted.product)
    throw new SaleorError(
      `The SKU ${wanted.sku} belongs to another product of this shop: free it in the Dashboard.`,
    );
  let id = known?.id;
  let outcome: Done['outcome'] = known ? 'kept' : 'made';
  const mend = async (query: string, variables: object): Promise<void> => {
    await askSaleor(access, query, { id, ...variables });
    if (outcome === 'kept') outcome = 'mended';
  };
  if (!id) {
    const { productVariantCreate } = await askSaleor<{ productVariantCreate: { productVariant: Id } }>(
      access,
      operations.variantCreate,
      {
        input: {
          product: wanted.product,
          name: wanted.name,
          sku: wanted.sku,
          attributes: values,
          trackInventory: false,
          stocks,
          metadata: pairs({ 'agentstore.label': wanted.name }),
          privateMetadata: kind,
        },
      },
    );
    id = productVariantCreate.productVariant.id;
  } else {
    const missing = unset(known!, values);
    if (missing.length) await mend(operations.variantUpdate, { input: { attributes: missing } });
    if (known!.kind !== wanted.kind) await mend(operations.setPrivateMetadata, { input: kind });
    if (!known!.stocks?.some(({ warehouse: at }) => at.id === place.warehouse))
      await mend(operations.variantStock, { stocks });
  }
  if (!known?.channelListings?.some(({ channel, price }) => channel.id === place.channel && price))
    await mend(operations.variantPrice, { input: [{ channelId: place.channel, price: wanted.price }] });
  report({ what, outcome });
  return id;
}
