import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

export const config = defineConfig('schema:pull and schema:compose', {
  SALEOR_API_URL: z
    .url()
    .optional()
    .describe(
      'GraphQL URL of the Saleor whose schema is asked for when the command line names none and none was pulled',
    ),
});

/** The Saleor that is asked for its schema when the command line names none; the same variable as the router's. */
export const saleorApiUrl = (): string | undefined => config.read().SALEOR_API_URL;
