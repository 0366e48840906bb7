import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';
import { originSchema } from '@agentstore/kernel/http/origin';

export const config = defineConfig('runs', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  TOOLS_ORIGIN: originSchema.describe('Origin of the tool gateway: the audience of run tokens'),
  RUN_TOKEN_PRIVATE_JWK: z
    .string()
    .describe(
      'Ed25519 key (JWK, JSON) with which run tokens are signed; the tool gateway has its public part',
    ),
  EVENT_DAYS: z.coerce.number().int().min(1).default(30).describe('Days that run events are kept'),
  MAX_INPUT_CHARACTERS: z.coerce.number().int().min(1).default(32_000).describe('Longest input of a run'),
  SUBSCRIBER_QUEUE_EVENTS: z.coerce
    .number()
    .int()
    .min(1)
    .default(256)
    .describe('Events that may wait for one subscriber of a run before it reads the log again instead'),
  SUBSCRIBER_QUEUE_BYTES: z.coerce
    .number()
    .int()
    .min(1_024)
    .default(1_048_576)
    .describe('The same in bytes of payload'),
  SWEEP_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(60)
    .default(1.5)
    .describe('How often lost doorbells, unclaimed runs and abandoned starts are looked for'),
  ABANDONED_SECONDS: z.coerce
    .number()
    .min(10)
    .default(30)
    .describe('A start of a run that was not completed for so long is taken back and its credits released'),
});
