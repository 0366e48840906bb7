import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { openDatabase, type Database } from '@agentstore/kernel/db/database';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { createEmbeddedEngine } from '@agentstore/rag/engines/embedded/embedded-engine';
import type { Embedder } from '@agentstore/rag/engines/embedded/embedder';
import type { KnowledgeEngine } from '@agentstore/rag/engines/engine';
import {
  appRoleUrl,
  ensureDatabase,
  startPostgres,
  withDatabase,
} from '../../../infra/dev/postgres/postgres.ts';

/** The index of the embedded engine alone, on a PostgreSQL of its own that syncs to disk. */
export interface BenchIndex {
  readonly database: Database;
  /** As the superuser, to fill it by the million. */
  readonly admin: pg.Client;
  /** The engine, with or without vectors; both see the same documents. */
  engine(embedder: Embedder | undefined): KnowledgeEngine;
  close(): Promise<void>;
}

export const searchBounds = { candidates: 256, wholeBaseVectors: 10_000, embedMs: 5_000 };

export async function openIndex(): Promise<BenchIndex> {
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-bench-'));
  fs.chmodSync(stateDir, 0o711); // as root the server runs under another account, which has to pass through
  const postgres = await startPostgres({ dataDir: path.join(stateDir, 'data'), port: await freePort() });
  const adminUrl = await ensureDatabase(postgres.adminUrl, 'bench');
  const root = path.join(import.meta.dirname, '../../..');
  await migrateAll(
    adminUrl,
    findMigrations(root).filter(({ schema }) => schema === 'rag'),
  );
  const url = withDatabase(await appRoleUrl(postgres.adminUrl), 'bench');
  const database = openDatabase({ url, schema: 'rag', log: silentLog });
  const admin = new pg.Client({ connectionString: adminUrl, options: '-c search_path=rag,public' });
  await admin.connect();
  return {
    database,
    admin,
    engine: (embedder) =>
      createEmbeddedEngine({
        database,
        embedder,
        limits: { fileBytes: 50 << 20, pages: 2_000, textChars: 20 << 20, unpackedBytes: 200 << 20 },
        extraction: { deadlineMs: 120_000, memoryMb: 1_024 },
        search: searchBounds,
        log: silentLog,
      }),
    async close() {
      await admin.end();
      await database.close();
      await postgres.stop();
      for (const made of [stateDir, postgres.dataDir, `${postgres.dataDir}.password`])
        fs.rmSync(made, { recursive: true, force: true });
    },
  };
}
