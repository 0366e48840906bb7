import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { json, microCreditsSchema, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { ProblemError } from '@agentstore/kernel/http/problem';
import type { Room } from '../deps.ts';
import { putCatalogue } from './offerings.store.ts';

const config = z.record(z.string(), z.unknown());
const capability = z.object({ name: z.string(), title: z.string(), description: z.string() });
const body = z.object({
  publisher: z.object({ slug: z.string(), name: z.string(), organizationId: z.uuid().optional() }),
  offering: z.object({
    slug: z.string(),
    name: z.string(),
    saleorProductId: z.string(),
    saleorChannel: z.string(),
    capabilities: z.array(capability),
  }),
  version: z.object({
    version: z.string(),
    bucket: z.string(),
    objectKey: z.string(),
    sha256: z.string(),
    sizeBytes: z.int(),
    config,
    configSchema: config,
  }),
  plans: z.array(
    z.object({
      code: z.string(),
      name: z.string(),
      saleorVariantId: z.string().nullable(),
      includedCredits: microCreditsSchema,
      creditsExpireDays: z.int().nullable(),
      config,
      entitlements: z.array(z.object({ capability: z.string(), limits: config })),
      maxRunSeconds: z.int(),
      maxConcurrentRuns: z.int(),
    }),
  ),
  creditPacks: z.array(
    z.object({
      saleorVariantId: z.string(),
      credits: microCreditsSchema,
      expiresAfterDays: z.int().nullable(),
    }),
  ),
  rateCard: z.object({
    prices: z.array(z.object({ dimension: z.string(), unitPrice: z.string() })),
    reserve: z.string(),
  }),
});

/** The catalogue as a whole, put by whoever sets the shop up; its rate card goes on to billing, which owns prices. */
export function catalogueRoutes(app: ServiceApp, room: Room): void {
  app.put('/internal/catalogue', async (c) => {
    const scope = serviceScope(c.var.caller, 'offering:publish');
    const { rateCard, ...entry } = await readJson(c, body);
    const made = await room.db.transaction(scope, async (tx) => {
      const put = await putCatalogue(tx, entry);
      if (!put)
        throw new ProblemError({
          status: 409,
          code: 'VERSION_IMMUTABLE',
          title: `Version ${entry.version.version} is published with other contents; put another version.`,
        });
      return put;
    });
    await room.billing.call('PUT', `/billing/rate-cards/${made.offeringId}`, rateCard, { retries: 2 });
    return json(made);
  });
}
