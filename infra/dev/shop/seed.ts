import type { SoldVariant } from '../../saleor/setup-catalogue.ts';
import { setupCatalogue } from '../../saleor/setup-catalogue.ts';
import { installApp } from './seed-app.ts';
import type { SeedTarget } from './seed-target.ts';

/** What a seeded shop holds; ids are Saleor's global ids. */
export interface SeededShop {
  readonly channel: string;
  readonly channelId: string;
  readonly productId: string;
  readonly productSlug: string;
  readonly creditsProductId: string;
  readonly variants: {
    readonly basic: SoldVariant;
    readonly pro: SoldVariant;
    readonly enterprise: SoldVariant;
    readonly pack1000: SoldVariant;
    readonly pack5000: SoldVariant;
  };
  /** The installed app's id; null when no manifest was given. */
  readonly appId: string | null;
}
const channel = { slug: 'default-channel', currency: 'USD', country: 'US' } as const;

/**
 * Fills a shop as `saleor:setup` fills a real one, with a superuser's token; it may run at each start. With a manifest it also installs the
 * app and waits until it is there.
 */
export async function seedShop(
  shop: SeedTarget,
  options: { appManifestUrl?: string } = {},
): Promise<SeededShop> {
  const sold = await setupCatalogue({ url: shop.url, token: await shop.staffToken() }, { channel });
  const appId = options.appManifestUrl ? await installApp(shop, options.appManifestUrl) : null;
  const { 'support-agent': agent, 'agent-credits': credits } = sold.productIds;
  const { basic, pro, enterprise, pack1000, pack5000 } = sold.variants;
  return {
    channel: channel.slug,
    channelId: sold.channelId,
    productId: agent!,
    productSlug: 'support-agent',
    creditsProductId: credits!,
    variants: { basic: basic!, pro: pro!, enterprise: enterprise!, pack1000: pack1000!, pack5000: pack5000! },
    appId,
  };
}
