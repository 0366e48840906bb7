import path from 'node:path';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import { migrateQueue } from '@agentstore/kernel/queue';
import { config } from './config.ts';

/** `npm run db:migrate`: brings every schema of DATABASE_ADMIN_URL to its newest migration, and the queue's. */
const { DATABASE_ADMIN_URL: adminUrl } = config.read();
const sources = findMigrations(path.join(import.meta.dirname, '../..')).filter(
  ({ schema }) => !schema.startsWith('dev_'),
);
const { applied } = await migrateAll(adminUrl, sources);
await migrateQueue(adminUrl, 'agentstore_app');
process.stdout.write(
  applied.length ? `${applied.map((name) => `applied ${name}`).join('\n')}\n` : 'nothing to do\n',
);
