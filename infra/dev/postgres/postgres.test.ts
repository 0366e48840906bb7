import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '@agentstore/kernel/log';
import { migrateAll } from '@agentstore/kernel/db/migrate';
import { freePort } from '@agentstore/kernel/testing/http';
import { sharedDirectory } from './binaries.ts';
import { DataDirectoryInUse } from './former-server.ts';
import {
  appRoleUrl,
  endFormerPostgres,
  ensureDatabase,
  startPostgres,
  type Postgres,
  type PostgresOptions,
} from './postgres.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-postgres-'));
fs.chmodSync(root, 0o711); // as root the server runs as another account, which must pass through
let options: PostgresOptions;
let count = 0;
const started: Postgres[] = [];

async function start(change: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const postgres = await startPostgres({ ...options, ...change });
  started.push(postgres);
  return postgres;
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process that ended but that nobody waited for (state Z) is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
async function isGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}
const guardOf = (pid: number) =>
  fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((name) => {
      try {
        return fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`guard\0${pid}\0`);
      } catch {
        return false;
      }
    });

/** A server whose owner is another process. */
async function startElsewhere() {
  const owner = fork(path.join(import.meta.dirname, 'testing/owner-process.ts'), {
    env: { POSTGRES_OPTIONS: JSON.stringify(options) },
    execArgv: [],
  });
  const [{ pid, adminUrl }] = (await once(owner, 'message')) as [{ pid: number; adminUrl: string }];
  return { owner, pid, adminUrl };
}

beforeEach(async () => {
  count += 1;
  options = { dataDir: path.join(root, `data-${count}`), port: await freePort(), durable: false };
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

describe('a server', () => {
  it('is PostgreSQL 18 and sorts by code point, whatever the machine', async () => {
    const { adminUrl } = await start();
    const [row] = await query<{ version: number; sorted: string }>(
      adminUrl,
      `select current_setting('server_version_num')::int / 10000 as version,
              (select string_agg(w, '' order by w) from unnest(array['b', 'ä', 'a', 'B']) w) as sorted`,
    );
    expect(row).toEqual({ version: 18, sorted: 'Babä' });
  });

  it('stops without a trace and starts again on the same port with the same data', async () => {
    const first = await start();
    await query(first.adminUrl, 'create table kept as select 42 as answer');
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect(fs.existsSync(path.join(first.dataDir, 'postmaster.pid'))).toBe(false);
    await expect.poll(() => guardOf(first.pid)).toBeUndefined();
    const second = await start();
    expect(second.adminUrl).toBe(first.adminUrl);
    expect(await query(second.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('stops although clients are in the middle of something', async () => {
    const postgres = await start();
    const busy = query(postgres.adminUrl, 'select pg_sleep(60)').catch((error: Error) => error.message);
    await expect
      .poll(() =>
        query(postgres.adminUrl, `select 1 from pg_stat_activity where query like 'select pg_sleep%'`),
      )
      .toHaveLength(1);
    await postgres.stop();
    expect(await busy).toMatch(/terminat/);
  });

  it('asks for a password, and the application role has another one than the superuser', async () => {
    const { adminUrl } = await start();
    const database = await ensureDatabase(adminUrl, 'agentstore');
    expect(await ensureDatabase(adminUrl, 'agentstore')).toBe(database);
    await migrateAll(database, []);
    const url = await appRoleUrl(database);
    expect(await appRoleUrl(database)).toBe(url);
    expect(
      await query(
        url,
        'select current_user as me, rolsuper as super from pg_roles where rolname = current_user',
      ),
    ).toEqual([{ me: 'agentstore_app', super: false }]);
    const asSuperuser = new URL(url);
    asSuperuser.username = 'postgres';
    await expect(query(asSuperuser.href, 'select 1')).rejects.toThrow('password authentication failed');
  });

  it('says why it does not start on a port that is taken', async () => {
    await start();
    await expect(start({ dataDir: `${options.dataDir}-other` })).rejects.toThrow(/could not bind/);
  });

  it('is started once per data directory', async () => {
    const { adminUrl, pid } = await start();
    const second = start({ port: await freePort() });
    await expect(second).rejects.toThrow(DataDirectoryInUse);
    await expect(second).rejects.toThrow(`process ${pid}`);
    expect(await query(adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('kill -9', () => {
  it('of the owner leaves no server behind, and nothing is lost', async () => {
    const { owner, pid, adminUrl } = await startElsewhere();
    await query(adminUrl, 'create table kept as select 42 as answer');
    owner.kill('SIGKILL');
    await isGone(pid);
    const next = await start();
    expect(await query(next.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('of the owner, then a start at once: it waits for the old server to end', async () => {
    const { owner, pid } = await startElsewhere();
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    const next = await start();
    expect(isAlive(pid)).toBe(false);
    expect(await query(next.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('of owner and guard leaves an orphan, which the next start ends', async () => {
    const { owner, pid } = await startElsewhere();
    process.kill(Number(guardOf(pid)), 'SIGKILL');
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    expect(isAlive(pid)).toBe(true);
    const next = await start();
    expect(isAlive(pid)).toBe(false);
    expect(await query(next.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('of the server itself: the owner hears of it, and the next start recovers although a query ran', async () => {
    const lines: string[] = [];
    const log = createLog({ name: 'test', destination: { write: (line: string) => void lines.push(line) } });
    const first = await start({ log, durable: true });
    await query(first.adminUrl, 'create table kept as select 42 as answer');
    const busy = query(first.adminUrl, 'select count(*) from generate_series(1, 1000000000)').catch(
      (error: Error) => error.message,
    );
    await expect
      .poll(() =>
        query(
          first.adminUrl,
          `select 1 from pg_stat_activity where query like '%generate_series(1%' and pid <> pg_backend_pid()`,
        ),
      )
      .toHaveLength(1);
    process.kill(first.pid, 'SIGKILL');
    await isGone(first.pid);
    const second = await start();
    expect(await query(second.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await busy).toEqual(expect.any(String));
    await expect.poll(() => lines.join()).toContain('PostgreSQL ended by itself');
  });

  it('in the middle of making the cluster leaves nothing that looks like one', async () => {
    fs.mkdirSync(`${options.dataDir}.draft-1234`);
    fs.writeFileSync(path.join(`${options.dataDir}.draft-1234`, 'PG_VERSION'), '18\n');
    fs.writeFileSync(`${options.dataDir}.password`, 'of a cluster that was never finished', { mode: 0o600 });
    const { adminUrl } = await start();
    expect(await query(adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(fs.readdirSync(root).filter((name) => name.includes('draft'))).toEqual([]);
  });
});

it('starts although the number in a left-over postmaster.pid belongs to another program now', async () => {
  const first = await start();
  await first.stop();
  const account = fs.statSync(first.dataDir);
  const file = path.join(first.dataDir, 'postmaster.pid');
  fs.writeFileSync(file, `${process.pid}\n${first.dataDir}\n`);
  fs.chownSync(file, account.uid, account.gid);
  const second = await start();
  expect(await query(second.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('keeps passwords to their owner', async () => {
  const { dataDir } = await start();
  expect(fs.statSync(`${dataDir}.password`).mode & 0o777).toBe(0o600);
  expect(fs.statSync(dataDir).mode & 0o777).toBe(0o700);
});

it('leaves a program alone that merely stands in the data directory', async () => {
  const first = await start();
  await first.stop();
  const bystander = spawn('sleep', ['60'], { cwd: first.dataDir, stdio: 'ignore' });
  await once(bystander, 'spawn');
  try {
    const second = await start();
    expect(await query(second.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(isAlive(bystander.pid!)).toBe(true);
  } finally {
    bystander.kill('SIGKILL');
  }
});

it('of a killed owner and guard can be ended before its port is chosen again', async () => {
  await endFormerPostgres(options.dataDir); // nothing there yet
  const { owner, pid } = await startElsewhere();
  await expect(endFormerPostgres(options.dataDir)).rejects.toThrow(DataDirectoryInUse);
  process.kill(Number(guardOf(pid)), 'SIGKILL');
  const gone = once(owner, 'exit');
  owner.kill('SIGKILL');
  await gone;
  await endFormerPostgres(options.dataDir);
  expect(isAlive(pid)).toBe(false);
});

describe.runIf(process.getuid?.() === 0)('for root under a closed home', () => {
  const made: string[] = [];
  let home: string;
  const dataIn = () => path.join(home, 'store/data');
  beforeEach(() => {
    home = path.join(root, `home-${count}`);
    fs.mkdirSync(home, { mode: 0o700 });
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
    for (const one of made.splice(0))
      for (const file of [one, `${one}.password`]) fs.rmSync(file, { recursive: true, force: true });
  });
  const startHere = async () => {
    const postgres = await start({ dataDir: dataIn() });
    if (postgres.dataDir !== dataIn()) made.push(postgres.dataDir);
    return postgres;
  };

  it('keeps the data where its account can go, and finds them again', async () => {
    const first = await startHere();
    expect(path.dirname(first.dataDir)).toBe(sharedDirectory);
    await query(first.adminUrl, 'create table kept as select 42 as answer');
    await first.stop();
    fs.chmodSync(home, 0o711); // opened meanwhile: the data are still where they were
    const second = await startHere();
    expect(second.dataDir).toBe(first.dataDir);
    expect(await query(second.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('meets no former data after its state was removed and made again', async () => {
    const first = await startHere();
    await first.stop();
    fs.rmSync(path.dirname(dataIn()), { recursive: true });
    const second = await startHere();
    expect(second.dataDir).not.toBe(first.dataDir);
  });

  it('uses a cluster that its user made there, under that user', async () => {
    fs.chmodSync(home, 0o711);
    const first = await startHere();
    expect(first.dataDir).toBe(dataIn());
    await query(first.adminUrl, 'create table kept as select 42 as answer');
    await first.stop();
    const { uid } = fs.statSync(dataIn());
    fs.chownSync(home, uid, fs.statSync(home).gid);
    fs.chmodSync(home, 0o700);
    const second = await startHere();
    expect(second.dataDir).toBe(dataIn());
    expect(await query(second.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });
});
