import { z } from 'zod';
import { defineConfig } from '@agentstore/kernel/config';

export const config = defineConfig('db:migrate', {
  DATABASE_ADMIN_URL: z.url().describe('PostgreSQL as the role that owns the schemas'),
});
