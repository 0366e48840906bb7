import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('gitops', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  RAG_URL: z
    .url()
    .optional()
    .describe('Origin of the knowledge subgraph; without it no knowledge base is written or observed'),
  GIT_REPOSITORY: z
    .string()
    .describe('Path of the bare repository that holds the desired state; made when it is missing'),
  GIT_BRANCH: z.string().default('main').describe('Branch written and applied'),
  GITOPS_ENVIRONMENT: z
    .string()
    .default('dev')
    .describe('Folder under clusters/ and the environment in commit subjects'),
  LEASE_SECONDS: z.coerce
    .number()
    .min(1)
    .max(120)
    .default(15)
    .describe('Time after which another process may write the branch, when the writer is silent'),
  GITOPS_SWEEP_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(600)
    .describe('How often the branch is compared with what is desired'),
  S3_URL: z.url().describe('Origin of the S3 server, to see that artifacts are there'),
  S3_ACCESS_KEY: z.string().describe('Access key of the artifact bucket'),
  S3_SECRET_KEY: z.string().describe('Secret key of the artifact bucket'),
  S3_REGION: z.string().default('us-east-1').describe('Region in the signatures'),
});
