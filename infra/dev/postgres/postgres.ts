import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { isReachable, reachableBinaries, sharedDirectory, unprivileged } from './binaries.ts';
import { guard } from './guard.ts';

export interface PostgresOptions {
  /** Wanted data directory; as root under a closed home another place is used (see `dataDir` of the answer). */
  readonly dataDir: string;
  readonly port: number;
  /** false: no fsync, for tests that throw the cluster away. */
  readonly durable?: boolean;
  readonly maxConnections?: number;
}

/** A running PostgreSQL server on 127.0.0.1. */
export interface Postgres {
  /** As the superuser `postgres`, database `postgres`. */
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Fast shutdown: open transactions are rolled back, all committed work is on disk. */
  stop(): Promise<void>;
}

const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };

/**
 * Starts a server, making its cluster first when there is none. Works as root (the server runs as an unprivileged account) and as an
 * ordinary user; recovers after kill -9 of itself or of its owner; ends with its owner. Passwords are SCRAM, kept beside the data.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const who = unprivileged();
  const durable = options.durable ?? true;
  const binaries = reachableBinaries(who !== undefined);
  const dataDir = prepareDirectory(options.dataDir, who);
  const password = await passwordOf(dataDir, who);
  if (!fs.existsSync(path.join(dataDir, 'PG_VERSION'))) initialise({ binaries, dataDir, password, durable, who });
  await waitForFormerServer(dataDir);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    shared_buffers: '128MB',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(path.join(binaries, 'bin/postgres'), ['-D', dataDir, '-p', String(options.port), ...flags], {
    ...who,
    cwd: '/',
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) guard(child.pid);
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 20_000) log += text;
      if (text.includes('ready to accept connections')) resolve();
    });
    child.once('error', reject).once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${log.trim()}`)));
  });
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return {
    adminUrl: `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${options.port}/postgres`,
    dataDir,
    pid: child.pid!,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.ref();
        child.once('exit', () => resolve());
        child.kill('SIGINT');
      }),
  };
}

/** Makes a database when it is not there. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('select from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  return withDatabase(adminUrl, name);
}

/** Gives the application role a password and answers its URL. The role itself is made by the migrations. */
export async function appRoleUrl(adminUrl: string): Promise<string> {
  const url = new URL(adminUrl);
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`alter role agentstore_app login password ${pg.escapeLiteral(decodeURIComponent(url.password))}`);
  } finally {
    await client.end();
  }
  url.username = 'agentstore_app';
  return url.href;
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

type Account = { uid: number; gid: number } | undefined;

function prepareDirectory(wanted: string, who: Account): string {
  let directory = path.resolve(wanted);
  fs.mkdirSync(directory, { recursive: true });
  if (who && !isReachable(path.dirname(fs.realpathSync(directory)))) {
    // The account cannot get there; another place, one per wanted directory so that two checkouts do not share data.
    directory = path.join(sharedDirectory, `data-${Buffer.from(directory).toString('base64url').slice(-48)}`);
    fs.mkdirSync(sharedDirectory, { recursive: true, mode: 0o755 });
    fs.mkdirSync(directory, { recursive: true });
  }
  if (who) fs.chownSync(directory, who.uid, who.gid);
  fs.chmodSync(directory, 0o700);
  return directory;
}

/** The superuser's password, made once and kept beside the data directory, readable by its owner alone. */
async function passwordOf(dataDir: string, who: Account): Promise<string> {
  const file = `${dataDir}.password`;
  if (!fs.existsSync(file)) fs.writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (who) fs.chownSync(file, who.uid, who.gid);
  return fs.readFileSync(file, 'utf8');
}

function initialise(o: { binaries: string; dataDir: string; password: string; durable: boolean; who: Account }): void {
  const run = spawnSync(
    path.join(o.binaries, 'bin/initdb'),
    [
      '-D', o.dataDir, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${o.dataDir}.password`, '--encoding=UTF8',
      // The builtin provider sorts the same everywhere, whatever the host's locales and ICU.
      '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
      ...(o.durable ? [] : ['--no-sync']),
    ],
    { ...o.who, cwd: '/', env: environment, encoding: 'utf8' },
  );
  if (run.status !== 0) {
    for (const name of fs.readdirSync(o.dataDir)) fs.rmSync(path.join(o.dataDir, name), { recursive: true, force: true });
    throw new Error(`initdb failed in ${o.dataDir}: ${run.error?.message ?? run.stderr}`);
  }
}

/** After kill -9 of an owner its server needs a moment to end; starting on top of it would be refused by its postmaster.pid. */
async function waitForFormerServer(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid');
  for (const deadline = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    let pid: number;
    try {
      pid = Number(fs.readFileSync(file, 'utf8').split('\n')[0]);
    } catch {
      return;
    }
    if (!isPostgres(pid)) return;
    if (Date.now() > deadline) throw new Error(`Another PostgreSQL (process ${pid}) already runs on ${dataDir}.`);
  }
}

function isPostgres(pid: number): boolean {
  try {
    if (os.platform() === 'linux') return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
