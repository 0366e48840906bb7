import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

export const config = defineConfig('saleor:setup', {
  SALEOR_TOKEN: z
    .string()
    .optional()
    .describe('Token of an app or of staff, for saleor:setup; not needed with --token'),
});
