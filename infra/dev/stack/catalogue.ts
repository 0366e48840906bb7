import { credits } from '@agentstore/kernel/credits';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Uuid } from '@agentstore/kernel/ids';
import { demoArtifact } from '../runtime/demo-flow.ts';
import type { SeededShop } from '../shop/seed.ts';
import type { DevSecrets } from '../state/secrets.ts';
import type { Doubles } from './doubles.ts';
import { putArtifact } from './put-artifact.ts';

export const offeringSlug = 'support-agent';
/** Held for a run before it begins, in micro-credits. */
export const reservePerRun = credits(5).toString();

/** What the store sells after a start. */
export interface Catalogue {
  readonly offeringId: string;
  readonly versionId: string;
  readonly artifactSha256: string;
}

/** Stores the artifact and registers the offering, its version, plans, packs and prices. Repeating it changes nothing. */
export async function registerCatalogue(options: {
  doubles: Doubles;
  secrets: DevSecrets;
  shop: SeededShop;
  /** Who may publish versions of it; nobody when absent. */
  publisherOrganizationId?: Uuid;
  controlPlane: ServiceClient;
}): Promise<Catalogue> {
  const { doubles, shop } = options;
  const artifact = await putArtifact(
    options,
    offeringSlug,
    demoArtifact({ modelBaseUrl: doubles.model.url }),
  );

  const capabilities = [
    { name: 'chat', title: 'Chat', description: 'Answers questions in a conversation.' },
    { name: 'api', title: 'API', description: 'Can be run by programs with an API key.' },
  ];
  const plan = (
    code: string,
    name: string,
    variant: string | null,
    given: { credits: number; runs: number },
  ) => ({
    code,
    name,
    saleorVariantId: variant,
    includedCredits: credits(given.credits).toString(),
    creditsExpireDays: given.credits ? 31 : null,
    config: {},
    entitlements: [
      { capability: 'chat', limits: { runsPerMinute: given.runs * 6 } },
      ...(code === 'trial' ? [] : [{ capability: 'api', limits: {} }]),
    ],
    maxRunSeconds: 300,
    maxConcurrentRuns: given.runs,
  });
  const made = await options.controlPlane.call<{ offeringId: string; versionId: string }>(
    'PUT',
    '/internal/catalogue',
    {
      publisher: {
        slug: 'agentstore',
        name: 'Agent Store',
        ...(options.publisherOrganizationId ? { organizationId: options.publisherOrganizationId } : {}),
      },
      offering: {
        slug: offeringSlug,
        name: 'Support agent',
        saleorProductId: shop.productId,
        saleorChannel: shop.channel,
        capabilities,
      },
      version: {
        // The artifact holds the model's address: another address is another version.
        version: `1.0.0-${artifact.sha256.slice(0, 8)}`,
        ...artifact,
        config: { tone: 'friendly' },
        configSchema: {
          type: 'object',
          properties: {
            tone: { type: 'string', enum: ['friendly', 'formal'] },
            greeting: { type: 'string', maxLength: 200 },
          },
        },
      },
      plans: [
        plan('trial', 'Trial', null, { credits: 0, runs: 2 }),
        plan('basic', 'Basic monthly', shop.variants.basic.id, { credits: 100, runs: 5 }),
        plan('pro', 'Pro monthly', shop.variants.pro.id, { credits: 500, runs: 50 }),
        plan('enterprise', 'Enterprise monthly', shop.variants.enterprise.id, { credits: 5_000, runs: 500 }),
      ],
      creditPacks: [
        {
          saleorVariantId: shop.variants.pack1000.id,
          credits: credits(1_000).toString(),
          expiresAfterDays: 365,
        },
        {
          saleorVariantId: shop.variants.pack5000.id,
          credits: credits(5_000).toString(),
          expiresAfterDays: 365,
        },
      ],
      // µcr per million units: 0.1 credit a run, 0.001 credit a token in, 0.004 credit a token out.
      rateCard: {
        reserve: reservePerRun,
        prices: [
          { dimension: 'run', unitPrice: '100000000000' },
          { dimension: 'input_token', unitPrice: '1000000000' },
          { dimension: 'output_token', unitPrice: '4000000000' },
        ],
      },
    },
  );
  return { ...made, artifactSha256: artifact.sha256 };
}
