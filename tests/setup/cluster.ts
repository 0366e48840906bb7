import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import { migrateQueue } from '@agentstore/kernel/queue';
import { appRoleUrl, ensureDatabase, startPostgres } from '../../infra/dev/postgres/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the run's cluster; its database `tpl` is the migrated template. */
    pgAdminUrl: string;
    /** Application role's URL on the same cluster. */
    pgAppUrl: string;
  }
}

let shared: Promise<{ adminUrl: string; appUrl: string; stop: () => Promise<void> }> | undefined;
let users = 0;

/** One throw-away PostgreSQL for the whole run, shared by all projects: `tpl` is migrated once, each test file clones it. */
export async function setup(project: TestProject): Promise<void> {
  users += 1;
  shared ??= startCluster();
  const { adminUrl, appUrl } = await shared;
  project.provide('pgAdminUrl', adminUrl);
  project.provide('pgAppUrl', appUrl);
}

export async function teardown(): Promise<void> {
  users -= 1;
  if (users === 0) await (await shared)?.stop();
}

async function startCluster() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-test-'));
  fs.chmodSync(directory, 0o711); // as root the server runs as another account, which must pass through
  const postgres = await startPostgres({ dataDir: path.join(directory, 'data'), port: await freePort(), durable: false, maxConnections: 300 });
  const template = await ensureDatabase(postgres.adminUrl, 'tpl');
  await migrateAll(template, findMigrations(path.join(import.meta.dirname, '../..')));
  await migrateQueue(template, 'agentstore_app');
  return {
    adminUrl: postgres.adminUrl,
    appUrl: await appRoleUrl(postgres.adminUrl),
    async stop() {
      await postgres.stop();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
