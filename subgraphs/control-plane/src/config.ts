import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('control-plane', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  ...shared.vault,
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  S3_URL: z.url().describe('Origin of the S3 server'),
  S3_ACCESS_KEY: z.string().describe('Access key of the artifact bucket'),
  S3_SECRET_KEY: z.string().describe('Secret key of the artifact bucket'),
  S3_REGION: z.string().default('us-east-1').describe('Region in the signatures'),
  ARTIFACT_BUCKET: z.string().default('artifacts').describe('Bucket of offering version artifacts'),
  TRIAL_CREDITS: z.coerce.number().int().min(0).default(100).describe('Credits a new organization gets once'),
  TRIAL_DAYS: z.coerce.number().int().min(1).default(30).describe('Days until trial credits end'),
});
