import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('runs', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  EVENT_DAYS: z.coerce.number().int().min(1).default(30).describe('Days that run events are kept'),
  MAX_INPUT_CHARACTERS: z.coerce.number().int().min(1).default(32_000).describe('Longest input of a run'),
});
