import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

/** What tests, benches and the scripts of CI read from the environment; each of them where it is used. */
export const config = defineConfig('tests and CI', {
  CI: z
    .enum(['true'])
    .optional()
    .describe(
      'Set by `.ci/run`: a real server or a recording that is missing is then a failure, not a skipped test',
    ),
  REAL_SERVERS_FILE: z
    .string()
    .optional()
    .describe(
      'File to which tests against a real server append its name and version, for the report of `.ci/run`',
    ),
  SEED: z.coerce
    .number()
    .int()
    .optional()
    .describe('Seed of the property tests; a failure says the one it had'),
  RUNS: z.coerce.number().int().min(1).default(60).describe("Rounds of the ledger's property test"),
  MCP_CONFORMANCE_CONTEXT: z
    .string()
    .optional()
    .describe(
      'Set by the MCP conformance suite for a client under test: JSON of what a scenario wants called',
    ),
  CHROMIUM: z
    .string()
    .optional()
    .describe('The Chromium of `npm run test:browser`, where it is not in its usual place'),
  UPDATE_DOCS: z
    .enum(['1'])
    .optional()
    .describe('Set to 1: the tests that make pictures and reports for `docs/` write them'),
  PATIENCE: z.coerce
    .number()
    .int()
    .min(1)
    .default(600)
    .describe('Half seconds that the start scripts of `infra/ci` wait for the store'),
  POSTGRES_OPTIONS: z
    .string()
    .optional()
    .describe('Options (JSON) of the PostgreSQL owner that its tests start as a process of its own'),
  IDENTITY_OPTIONS: z
    .string()
    .optional()
    .describe('Options (JSON) of the identity provider that its tests start as a process of its own'),
});
