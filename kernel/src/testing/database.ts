import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { openDatabase, type Database } from '../db/database.ts';
import { silentLog } from '../log.ts';

/** A migrated database of the test file's own, on the run's throw-away cluster. */
export interface TestDatabase {
  /** As the application role: what the code under test uses. */
  readonly url: string;
  /** As the superuser: to look behind row-level security, and to break things. */
  readonly adminUrl: string;
}

let counter = 0;

/** Clones the migrated template. Call it in `beforeAll`; the cluster goes away with the run, so nothing is dropped. */
export async function testDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('pgAdminUrl');
  const name = `test_${process.pid}_${Date.now().toString(36)}_${++counter}`;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // Cloning wants the template without sessions: one at a time across all workers.
    await client.query('select pg_advisory_lock(7261002)');
    await client.query(`create database ${name} template tpl strategy file_copy`);
  } finally {
    await client.end();
  }
  return { url: on(inject('pgAppUrl'), name), adminUrl: on(adminUrl, name) };
}

/** The clone opened with one schema as its search path; closed after the file's tests. */
export async function openTestDatabase(schema: string): Promise<TestDatabase & { database: Database }> {
  const made = await testDatabase();
  const database = openDatabase({ url: made.url, schema, log: silentLog });
  afterAll(() => database.close());
  return { ...made, database };
}

const on = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
};
