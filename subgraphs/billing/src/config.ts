import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('billing', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  SWEEP_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(60)
    .default(1)
    .describe('How often due reservations and grants are swept'),
});
