import type { SeedTarget, ShopAccess } from './ask-shop.ts';
import {
  channelOf,
  categoryOf,
  productOf,
  productTypeOf,
  variantOf,
  warehouseOf,
  type SeededVariant,
} from './seed-catalogue.ts';
import { installApp } from './seed-app.ts';

/** What a seeded shop holds; ids are Saleor's global ids. */
export interface SeededShop {
  readonly channel: string;
  readonly channelId: string;
  readonly productId: string;
  readonly productSlug: string;
  readonly creditsProductId: string;
  readonly variants: {
    readonly basic: SeededVariant;
    readonly pro: SeededVariant;
    readonly enterprise: SeededVariant;
    readonly pack1000: SeededVariant;
    readonly pack5000: SeededVariant;
  };
  /** The installed app's id; null when no manifest was given. */
  readonly appId: string | null;
}
const plans = [
  { name: 'Basic monthly', sku: 'AGENT-BASIC-M', price: '9.00' },
  { name: 'Pro monthly', sku: 'AGENT-PRO-M', price: '29.00' },
  { name: 'Enterprise monthly', sku: 'AGENT-ENTERPRISE-M', price: '199.00' },
] as const;
const packs = [
  { name: '1000 credits', sku: 'CREDITS-1000', price: '10.00' },
  { name: '5000 credits', sku: 'CREDITS-5000', price: '45.00' },
] as const;

/**
 * Fills a shop with what the store sells, through its GraphQL API, with a superuser's token: channel default-channel (USD, orders may be
 * unpaid, confirmed by themselves), product Support agent with three plans, product Agent credits with two packs. Products and prices
 * that are there already are left as they are, so it may run at each start; with a manifest it also installs the app and waits until it is there.
 */
export async function seedShop(
  shop: SeedTarget,
  options: { appManifestUrl?: string } = {},
): Promise<SeededShop> {
  const access: ShopAccess = { url: shop.url, token: await shop.staffToken() };
  const warehouse = await warehouseOf(access);
  const channel = await channelOf(access, warehouse);
  const category = await categoryOf(access);
  const productType = await productTypeOf(access);
  const place = { access, channel, warehouse, category, productType };
  const agent = await productOf(place, {
    name: 'Support agent',
    slug: 'support-agent',
    metadata: { 'agentstore.template': 'support-agent' },
  });
  const credits = await productOf(place, { name: 'Agent credits', slug: 'agent-credits', metadata: {} });
  const [basic, pro, enterprise] = await inOrder(plans, (plan) =>
    variantOf(place, { ...plan, product: agent, kind: 'plan' }),
  );
  const [pack1000, pack5000] = await inOrder(packs, (pack) =>
    variantOf(place, { ...pack, product: credits, kind: 'credits' }),
  );
  const appId = options.appManifestUrl ? await installApp(shop, options.appManifestUrl) : null;
  return {
    channel: 'default-channel',
    channelId: channel,
    productId: agent,
    productSlug: 'support-agent',
    creditsProductId: credits,
    variants: { basic: basic!, pro: pro!, enterprise: enterprise!, pack1000: pack1000!, pack5000: pack5000! },
    appId,
  };
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
