import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { json, microCreditsSchema, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { requiredConnectors } from '../connectors/required-connectors.ts';
import type { Room } from '../deps.ts';
import { artifactLimits } from './flow-artifact.ts';
import { putCatalogue } from './put-catalogue.ts';

// Bounds are those of the CRDs (infra/k8s/crds): what is sold can be applied.
const config = z.record(z.string(), z.unknown());
const slug = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
/** A global id of Saleor, base64 of `Type:number`: a malformed one would fail every entity that is asked for together with it. */
const saleorId = (type: string) =>
  z.string().refine((id) => {
    const text = Buffer.from(id, 'base64').toString('latin1');
    return new RegExp(`^${type}:[0-9]+$`).test(text) && Buffer.from(text, 'latin1').toString('base64') === id;
  }, `a global id of a ${type}`);
const capability = z.object({ name: z.string().min(1).max(100), title: z.string(), description: z.string() });
const entitlement = z.object({ capability: z.string().min(1).max(100), limits: config });
const body = z
  .object({
    publisher: z.object({ slug, name: z.string(), organizationId: z.uuid().optional() }),
    offering: z.object({
      slug,
      name: z.string(),
      saleorProductId: saleorId('Product').nullable(),
      saleorChannel: z.string(),
      capabilities: z.array(capability).max(64),
    }),
    version: z.object({
      version: z.string().min(1).max(64),
      bucket: z.string().min(3).max(63),
      objectKey: z.string().min(1).max(512),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      sizeBytes: z.int().min(1).max(artifactLimits.maxBytes),
      config,
      configSchema: config,
      requiredConnectors: requiredConnectors.default([]),
    }),
    plans: z.array(
      z.object({
        code: z.string().min(1).max(64),
        name: z.string(),
        saleorVariantId: saleorId('ProductVariant').nullable(),
        includedCredits: microCreditsSchema,
        creditsExpireDays: z.int().min(1).nullable(),
        config,
        entitlements: z.array(entitlement).max(64),
        maxRunSeconds: z.int().min(1).max(86_400),
        maxConcurrentRuns: z.int().min(1).max(1_000),
      }),
    ),
    creditPacks: z.array(
      z.object({
        saleorVariantId: saleorId('ProductVariant'),
        credits: microCreditsSchema,
        expiresAfterDays: z.int().nullable(),
      }),
    ),
    rateCard: z.object({
      prices: z.array(z.object({ dimension: z.string(), unitPrice: z.string() })),
      reserve: z.string(),
    }),
  })
  .refine(
    ({ offering, plans }) =>
      offering.saleorProductId !== null || plans.every((plan) => plan.saleorVariantId === null),
    {
      path: ['offering', 'saleorProductId'],
      message: 'a plan has a variant, so the offering needs its product',
    },
  );

/** The catalogue as a whole, put by whoever sets the shop up; its rate card goes on to billing, which owns prices. */
export function catalogueRoutes(app: ServiceApp, room: Room): void {
  app.put('/internal/catalogue', async (c) => {
    const scope = serviceScope(c.var.caller, 'offering:publish');
    const { rateCard, ...entry } = await readJson(c, body);
    const put = await putCatalogue(room, scope, entry);
    if (!put.ok) {
      const { code, message } = put.error;
      throw new ProblemError({ status: code === 'VERSION_IMMUTABLE' ? 409 : 400, code, title: message });
    }
    const made = put.value;
    await room.billing.call('PUT', `/billing/rate-cards/${made.offeringId}`, rateCard, { retries: 2 });
    return json(made);
  });
}
