import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase, type TestDatabase } from '@agentstore/kernel/testing/database';
import { createAuditLog } from '@agentstore/tools/audit/audit-log';
import { someCompletion, someDecision } from '@agentstore/tools/testing/audit-records';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-'));
const file = path.join(home, 'export.ndjson');
let made: TestDatabase;

beforeAll(async () => {
  made = await testDatabase();
  const db = openDatabase({ url: made.url, schema: 'tools', log: silentLog });
  const log = createAuditLog({ db, log: silentLog, deadlineMs: 5_000, mostWaiting: 100 });
  for (let n = 0; n < 3; n++) {
    const decision = someDecision();
    await log.decided(decision);
    await log.completed(someCompletion(decision));
  }
  await db.close();
  fs.writeFileSync(path.join(home, 'dev.json'), JSON.stringify({ urls: { database: made.url } }));
  const exported = await run('export.ts', '--state', home);
  // npm says what it runs before the output of the script.
  fs.writeFileSync(
    file,
    `\n> agentstore@0.1.0 audit:export\n> exec node infra/audit/export.ts\n\n${exported.out}`,
  );
  afterAll(() => fs.rmSync(home, { recursive: true }));
});

const run = (script: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(import.meta.dirname, script), ...args],
      (_error, out, err) => resolve({ code: child.exitCode!, out, err }),
    );
  });

async function asOwner(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: made.adminUrl, options: '-c search_path=tools,public' });
  await client.connect();
  await client.query(text);
  await client.end();
}

it('verifies an export by the file alone, and finds an edit in it', async () => {
  const whole = await run('verify.ts', '--file', file);
  expect(whole).toMatchObject({ code: 0, out: expect.stringContaining('6 records, 1 to 6, are whole') });
  const tampered = path.join(home, 'tampered.ndjson');
  fs.writeFileSync(tampered, fs.readFileSync(file, 'utf8').replace('find_order', 'drop_order'));
  expect(await run('verify.ts', '--file', tampered)).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^✗ HASH at record 1: .* 0 records before it are whole/),
  });
});

it('holds an export against a head that was kept', async () => {
  const [, head] = /head is ([0-9a-f]{64})/.exec((await run('verify.ts', '--file', file)).out)!;
  expect(await run('verify.ts', '--file', file, '--head', head!)).toMatchObject({ code: 0 });
  expect(await run('verify.ts', '--file', file, '--head', 'f'.repeat(64))).toMatchObject({
    code: 1,
    out: expect.stringContaining('HEAD at record 6'),
  });
});

it.each([
  ['a file that is not there', ['--file', path.join(home, 'nothing')], 'ENOENT'],
  ['a head that is none', ['--file', file, '--head', 'F'], '--head is no hash'],
  ['a directory without a store', ['--state', os.tmpdir()], 'No store was started'],
  ['an argument that it does not know', ['--fast'], 'fast'],
])('answers 2 for %s', async (_what, args, said) => {
  expect(await run('verify.ts', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(said) });
});

it('verifies the database of a store, its columns and its head too', async () => {
  expect(await run('verify.ts', '--state', home)).toMatchObject({ code: 0 });
  await asOwner(`alter table audit_record disable trigger append_only; alter table audit_head disable trigger append_only;
    update audit_record set organization_id = gen_random_uuid() where seq = 3`);
  expect(await run('verify.ts', '--state', home)).toMatchObject({
    code: 1,
    out: expect.stringContaining('COLUMNS at record 3'),
  });
  await asOwner(`update audit_record set organization_id = (body::json ->> 'organizationId')::uuid;
    update audit_head set seq = null, hash = null; delete from audit_record where seq = 6`);
  expect(await run('verify.ts', '--state', home)).toMatchObject({
    code: 1,
    out: expect.stringContaining('HEAD'),
  });
});
