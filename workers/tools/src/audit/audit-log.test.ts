import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { organizationScope, systemScope } from '@agentstore/kernel/access';
import { openDatabase, type Database } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { apiKeyCaller } from '@agentstore/kernel/testing/callers';
import { openTestDatabase, testDatabase } from '@agentstore/kernel/testing/database';
import { someCompletion, someDecision } from '../testing/audit-records.ts';
import { AuditUnavailable, createAuditLog } from './audit-log.ts';
import { verifyChain } from './audit-chain.ts';
import { exportChain } from './export-chain.ts';

let database: Database;
let admin: pg.Client;
const settings = { log: silentLog, deadlineMs: 10_000, mostWaiting: 1_000 };

beforeAll(async () => {
  const made = await openTestDatabase('tools');
  database = made.database;
  admin = new pg.Client({ connectionString: made.adminUrl, options: '-c search_path=tools,public' });
  await admin.connect();
  afterAll(() => admin.end());
});

const rowsOf = async (text: string, values: unknown[] = []) =>
  (await admin.query<Record<string, unknown>>(text, values)).rows;

/** The database, counting appends and holding each until it is let go. */
function held(db: Database): Database & { appends: number; letGo: () => void } {
  let release: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const self = {
    ...db,
    appends: 0,
    letGo: () => release?.(),
    async statement<Row extends object>(...args: Parameters<Database['statement']>): Promise<Row[]> {
      self.appends += 1;
      await gate;
      return db.statement<Row>(...args);
    },
  };
  return self;
}

it('writes what is decided and completed into one chain, in the order in which it came', async () => {
  const log = createAuditLog({ db: database, ...settings });
  const decision = someDecision({ toolId: 'odd \u0000 name \ud800', argumentNames: ['\u0000', 'ä'] });
  await log.decided(decision);
  await log.completed(someCompletion(decision));
  const rows = await rowsOf(
    'select kind, tool_id, body, run_id from audit_record where id = $1 order by seq',
    [decision.id],
  );
  expect(rows.map(({ kind }) => kind)).toEqual(['DECISION', 'COMPLETION']);
  expect(rows[0]).toMatchObject({ tool_id: null, run_id: decision.runId });
  expect(JSON.parse(rows[0]!['body'] as string)).toMatchObject({ ...decision, kind: 'DECISION' });
  expect(await verifyChain(exportChain(database))).toMatchObject({ fault: undefined });
});

it('lets what comes during an append go together with the next one', async () => {
  const db = held(database);
  const log = createAuditLog({ db, ...settings });
  const calls = Array.from({ length: 50 }, () => log.decided(someDecision()));
  expect(db.appends).toBe(1);
  db.letGo();
  await Promise.all(calls);
  expect(db.appends).toBe(2);
});

it('keeps one chain when several processes append at once', async () => {
  const made = await testDatabase();
  const processes = Array.from({ length: 3 }, () =>
    openDatabase({ url: made.url, schema: 'tools', log: silentLog, max: 2 }),
  );
  await Promise.all(
    processes.flatMap((db) => {
      const log = createAuditLog({ db, ...settings });
      return Array.from({ length: 40 }, async () => {
        const decision = someDecision();
        await log.decided(decision);
        await log.completed(someCompletion(decision));
      });
    }),
  );
  expect(await verifyChain(exportChain(processes[0]!))).toMatchObject({ records: 240, fault: undefined });
  await Promise.all(processes.map((db) => db.close()));
});

it('fails all callers of a batch that cannot be written, and goes on with the next', async () => {
  const log = createAuditLog({ db: database, ...settings });
  const written = someDecision();
  await log.decided(written);
  const before = await rowsOf('select count(*) from audit_record');
  const first = log.decided(someDecision());
  const together = [log.decided(written), log.decided(someDecision())];
  await first;
  for (const call of together) await expect(call).rejects.toBeInstanceOf(AuditUnavailable);
  await log.decided(someDecision());
  expect(
    await rowsOf('select count(*) - $1::bigint as more from audit_record', [before[0]!['count']]),
  ).toEqual([{ more: '2' }]);
});

it('refuses more records than may wait, at once', async () => {
  const db = held(database);
  const log = createAuditLog({ db, ...settings, mostWaiting: 2 });
  const taken = [1, 2, 3].map(() => log.decided(someDecision()));
  await expect(log.decided(someDecision())).rejects.toBeInstanceOf(AuditUnavailable);
  db.letGo();
  await Promise.all(taken);
});

it('gives up an append after its deadline, and writes again once the head is free', async () => {
  const log = createAuditLog({ db: database, ...settings, deadlineMs: 200 });
  await admin.query('begin');
  await admin.query('select from audit_head for update');
  await expect(log.decided(someDecision())).rejects.toBeInstanceOf(AuditUnavailable);
  await admin.query('commit');
  await createAuditLog({ db: database, ...settings }).decided(someDecision());
  expect(await verifyChain(exportChain(database))).toMatchObject({ fault: undefined });
});

it('cannot be written to, changed or emptied past append_audit, whoever asks', async () => {
  await createAuditLog({ db: database, ...settings }).decided(someDecision());
  // With the scope of everything, which no caller has.
  const asGateway = (text: string) =>
    database.transaction(systemScope('tamper'), (tx) => tx.sql(`-- tamper\n ${text}`));
  for (const text of [
    "update audit_record set body = '{}'",
    'delete from audit_record',
    'update audit_head set seq = 1',
    'delete from audit_head',
  ])
    await expect(asGateway(text)).rejects.toThrow(/permission denied/);
  await expect(
    asGateway(
      `insert into audit_record (seq, id, kind, organization_id, body, prev_hash, hash)
       select seq + 1, gen_random_uuid(), 'DECISION', gen_random_uuid(), '{}', hash, encode(sha256(convert_to(hash || (seq + 1) || '{}', 'UTF8')), 'hex') from audit_head`,
    ),
  ).rejects.toThrow(/row-level security/);
  for (const text of [
    "update audit_record set body = '{}'",
    'delete from audit_record',
    'truncate audit_record cascade',
    'delete from audit_head',
    'truncate audit_head',
  ])
    await expect(admin.query(text)).rejects.toThrow(/append-only/);
});

it.each([
  ['a second record with the same predecessor', 'seq', 'prev_hash'],
  ['a number that leaves one out', 'seq + 2', 'hash'],
  ['another hash than the one before has', 'seq + 1', "repeat('f', 64)"],
])('takes no record with %s, not even from the owner of the table', async (_what, seq, before) => {
  await createAuditLog({ db: database, ...settings }).decided(someDecision());
  await expect(
    admin.query(
      `insert into audit_record (seq, id, kind, organization_id, body, prev_hash, hash)
       select ${seq}, gen_random_uuid(), 'DECISION', gen_random_uuid(), '{}', ${before}, encode(sha256(convert_to((${before}) || (${seq}) || '{}', 'UTF8')), 'hex')
       from audit_record order by seq desc limit 1`,
    ),
  ).rejects.toThrow(/violates (unique|foreign key) constraint/);
});

it('shows an organization no record of another one', async () => {
  const log = createAuditLog({ db: database, ...settings });
  const [mine, theirs] = [someDecision(), someDecision()];
  await Promise.all([log.decided(mine), log.decided(theirs)]);
  const scope = organizationScope(
    apiKeyCaller(mine.organizationId, 'audit:read'),
    mine.organizationId,
    'audit:read',
  )!;
  const seen = await database.transaction(scope, (tx) =>
    tx.sql<{ id: string }>('-- all\n select id from audit_record'),
  );
  expect(seen).toEqual([{ id: mine.id }]);
});
