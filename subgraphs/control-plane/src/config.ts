import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';
import { originSchema } from '@agentstore/kernel/http/origin';

export const config = defineConfig('control-plane', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  ...shared.vault,
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  TOOLS_URL: z.url().describe('Origin of the tool gateway, which keeps the audit log'),
  TOOLS_ORIGIN: originSchema.describe(
    'Origin at which flows reach the tool gateway: the only address that a published flow may call tools at',
  ),
  S3_URL: z.url().describe('Origin of the S3 server'),
  S3_ACCESS_KEY: z.string().describe('Access key of the artifact bucket'),
  S3_SECRET_KEY: z.string().describe('Secret key of the artifact bucket'),
  S3_REGION: z.string().default('us-east-1').describe('Region in the signatures'),
  ARTIFACT_BUCKET: z.string().default('artifacts').describe('Bucket of offering version artifacts'),
  KNOWLEDGE_BASES: z.coerce
    .number()
    .int()
    .min(0)
    .default(1)
    .describe("Knowledge bases of a project whose instances' plans do not speak of knowledge; 0: none"),
  KNOWLEDGE_DOCUMENTS: z.coerce
    .number()
    .int()
    .min(0)
    .default(25)
    .describe('Documents in a knowledge base of such a project'),
  KNOWLEDGE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(104_857_600)
    .describe('Bytes of all documents of such a project'),
  VISITOR_SPEND_CREDITS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10)
    .describe(
      'Credits that the runs of one visitor of a site may cost in 24 hours, where the instance says nothing else',
    ),
  ALLOW_LOOPBACK_ORIGINS: z
    .stringbool()
    .default(false)
    .describe(
      'true in development: widgets may stand on pages of the own machine (localhost:*) and show pictures from there',
    ),
  TRIAL_CREDITS: z.coerce.number().int().min(0).default(100).describe('Credits a new organization gets once'),
  TRIAL_DAYS: z.coerce.number().int().min(1).default(30).describe('Days until trial credits end'),
});
