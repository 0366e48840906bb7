import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('provisioner', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  APP_BASE_URL: z.url().describe('Origin under which Saleor reaches this app; never taken from a request'),
  ALLOWED_SALEOR_API_URLS: z.string().describe('Comma list of Saleor GraphQL URLs that may register the app'),
  APP_TOKEN_KEY: z.string().describe('AES-256 key (base64, 32 bytes) with which app tokens are stored'),
  PARKED_RETRY_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(600)
    .describe('Seconds until an order that could not be granted is tried again by itself'),
  INBOX_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .default(14)
    .describe('Days for which received webhooks are remembered'),
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
});
