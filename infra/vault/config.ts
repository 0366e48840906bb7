import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

export const config = defineConfig('vault:setup', {
  VAULT_TOKEN: z
    .string()
    .optional()
    .describe("An operator's token, for vault:setup: it may mount engines and auth, and write policies"),
});
