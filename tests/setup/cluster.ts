import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import { migrateQueue } from '@agentstore/kernel/queue';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { noteRealServer } from '@agentstore/kernel/testing/real-servers';
import { appRoleUrl, ensureDatabase, startPostgres } from '../../infra/dev/postgres/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the run's cluster; its database `tpl` is the migrated template. */
    pgAdminUrl: string;
    /** Application role's URL on the same cluster. */
    pgAppUrl: string;
  }
}

interface Cluster {
  readonly adminUrl: string;
  readonly appUrl: string;
  stop(): Promise<void>;
}

// Vitest loads this file once per project, all in one process: what they share hangs on the process.
const slot = Symbol.for('agentstore.test-cluster');
const held = globalThis as unknown as Record<
  symbol,
  { users: number; cluster: Promise<Cluster> } | undefined
>;

/** One throw-away PostgreSQL for the whole run, shared by all projects: `tpl` is migrated once, each test file clones it. */
export async function setup(project: TestProject): Promise<void> {
  const shared = (held[slot] ??= { users: 0, cluster: startCluster() });
  shared.users += 1;
  const { adminUrl, appUrl } = await shared.cluster;
  project.provide('pgAdminUrl', adminUrl);
  project.provide('pgAppUrl', appUrl);
}

export async function teardown(): Promise<void> {
  const shared = held[slot];
  if (!shared || --shared.users > 0) return;
  held[slot] = undefined;
  await (await shared.cluster).stop();
}

async function startCluster(): Promise<Cluster> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-test-'));
  fs.chmodSync(directory, 0o711); // as root the server runs as another account, which must pass through
  const postgres = await startPostgres({
    dataDir: path.join(directory, 'data'),
    port: await freePort(),
    durable: false,
    maxConnections: 300,
  });
  const template = await ensureDatabase(postgres.adminUrl, 'tpl');
  await migrateAll(template, findMigrations(path.join(import.meta.dirname, '../..')));
  await migrateQueue(template, 'agentstore_app');
  noteRealServer('PostgreSQL 18 (every test with a database)');
  return {
    adminUrl: postgres.adminUrl,
    appUrl: await appRoleUrl(postgres.adminUrl),
    async stop() {
      await postgres.stop();
      for (const made of [directory, postgres.dataDir, `${postgres.dataDir}.password`])
        fs.rmSync(made, { recursive: true, force: true });
    },
  };
}
