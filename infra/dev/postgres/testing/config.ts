import type { PostgresOptions } from '../postgres.ts';

/** Arguments of the owner process that tests start; JSON in its environment. */
export const childOptions = (): PostgresOptions =>
  JSON.parse(process.env['POSTGRES_OPTIONS'] ?? '{}') as PostgresOptions;
