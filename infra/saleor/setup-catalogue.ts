import type { SaleorAccess } from './ask-saleor.ts';
import { products } from './catalogue.ts';
import { ensureCategory, ensureChannel, ensureWarehouse, type ChannelToSellIn } from './ensure-place.ts';
import { ensureProductType } from './ensure-product-type.ts';
import { ensureProduct } from './ensure-product.ts';
import { ensureVariant } from './ensure-variant.ts';
import type { Done, Place, Shop } from './shop.ts';

export interface SoldVariant {
  readonly id: string;
  readonly sku: string;
}
/** Ids of what the shop sells now; Saleor's global ids. */
export interface SoldCatalogue {
  readonly channelId: string;
  readonly productIds: Readonly<Record<string, string>>;
  /** By key: basic, pro, enterprise, pack1000, pack5000. */
  readonly variants: Readonly<Record<string, SoldVariant>>;
}
export interface SetupOptions {
  readonly channel: ChannelToSellIn;
  /** Hears of each thing in its order. */
  readonly report?: (done: Done) => void;
}

/**
 * Makes what the store sells in any Saleor 3.22: warehouse, channel settings, category, attributes, product type, products, plans and credit packs with price,
 * stock and listing. What is there is kept, what is half there is mended, so it may be repeated at will; a price that somebody changed stays. Needs MANAGE_CHANNELS,
 * MANAGE_PRODUCTS, MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES and MANAGE_ORDERS (channel settings). Throws SaleorError.
 */
export async function setupCatalogue(access: SaleorAccess, options: SetupOptions): Promise<SoldCatalogue> {
  const shop: Shop = { access, report: options.report ?? (() => undefined) };
  const warehouseId = await ensureWarehouse(shop);
  const channelId = await ensureChannel(shop, options.channel, warehouseId);
  const place: Place = {
    channel: channelId,
    warehouse: warehouseId,
    category: await ensureCategory(shop),
    ...(await ensureProductType(shop)),
  };
  const productIds: Record<string, string> = {};
  const variants: Record<string, SoldVariant> = {};
  for (const product of products) {
    const id = await ensureProduct(shop, place, product);
    productIds[product.slug] = id;
    for (const variant of product.variants)
      variants[variant.key] = {
        id: await ensureVariant(shop, place, { ...variant, product: id }),
        sku: variant.sku,
      };
  }
  return { channelId, productIds, variants };
}
