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
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
});
