import { askSaleor } from './ask-saleor.ts';
import type { ProductToSell } from './catalogue.ts';
import * as operations from './operations.ts';
import { pairs, unset, type Done, type Id, type Place, type Shop, type Valued } from './shop.ts';

export async function ensureProduct(
  { access, report }: Shop,
  place: Place,
  wanted: ProductToSell,
): Promise<string> {
  const what = `product ${wanted.slug}`;
  const values = [
    { id: place.attributes['agent-template']!, plainText: wanted.template },
    {
      id: place.attributes['agent-capability']!,
      multiselect: wanted.capabilities.map((value) => ({ value })),
    },
  ];
  interface Known extends Id, Valued {
    readonly channelListings:
      | readonly {
          readonly channel: Id;
          readonly isPublished: boolean;
          readonly visibleInListings: boolean;
          readonly isAvailableForPurchase: boolean | null;
        }[]
      | null;
  }
  const { product } = await askSaleor<{ product: Known | null }>(access, operations.productBySlug, {
    slug: wanted.slug,
  });
  let id = product?.id;
  let outcome: Done['outcome'] = product ? 'kept' : 'made';
  if (!id) {
    const { productCreate } = await askSaleor<{ productCreate: { product: Id } }>(
      access,
      operations.productCreate,
      {
        input: {
          name: wanted.name,
          slug: wanted.slug,
          productType: place.productType,
          category: place.category,
          attributes: values,
          metadata: pairs(wanted.metadata),
        },
      },
    );
    id = productCreate.product.id;
  } else {
    const missing = unset(product!, values);
    if (missing.length) {
      await askSaleor(access, operations.productUpdate, { id, input: { attributes: missing } });
      outcome = 'mended';
    }
  }
  const listed = product?.channelListings?.find(({ channel }) => channel.id === place.channel);
  if (!listed?.isPublished || !listed.visibleInListings || !listed.isAvailableForPurchase) {
    await askSaleor(access, operations.productListing, {
      id,
      input: {
        updateChannels: [
          {
            channelId: place.channel,
            isPublished: true,
            visibleInListings: true,
            isAvailableForPurchase: true,
          },
        ],
      },
    });
    if (outcome === 'kept') outcome = 'mended';
  }
  report({ what, outcome });
  return id;
}
