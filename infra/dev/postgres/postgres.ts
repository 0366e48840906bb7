import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Log } from '@agentstore/kernel/log';
import { environment, reachableBinaries } from './binaries.ts';
import { ensureCluster, findDataDirectory } from './data-directory.ts';
import { claimDirectory, endFormerServer } from './former-server.ts';
import { spawnGuarded } from './guard.ts';

export interface PostgresOptions {
  /** Wanted data directory; as root under a closed home another place is used (see `dataDir` of the answer). */
  readonly dataDir: string;
  readonly port: number;
  /** false: no fsync, for tests that throw the cluster away. */
  readonly durable?: boolean;
  readonly maxConnections?: number;
  /** Told when the server ends without being asked to. */
  readonly log?: Log;
  /** Called after it, when the server was ready before. */
  readonly onEnd?: () => void;
}

/** A running PostgreSQL server on 127.0.0.1. */
export interface Postgres {
  /** As the superuser `postgres`, database `postgres`. */
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly pid: number;
  /**
   * Fast shutdown: open transactions are rolled back, all committed work is on disk. Starting again with the same options gives the same server
   * on the same port. Safe to call twice. `immediate` is what a failing machine does: no checkpoint, the next start recovers from the log.
   */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
}

/** How long a fast shutdown may take before the server is told to quit at once. */
const stopMs = 10_000;

/**
 * Starts a server, making its cluster first when there is none. Works as root (the server runs as an unprivileged account) and as an
 * ordinary user; recovers after kill -9 of itself or of its owner; ends with its owner. Passwords are SCRAM, kept beside the data. Throws
 * DataDirectoryInUse when a living process already runs a server there.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const durable = options.durable ?? true;
  const data = findDataDirectory(options.dataDir);
  const binaries = reachableBinaries(data.account !== undefined);
  const password = ensureCluster(data, binaries, { durable });
  await endFormerServer(data.path);
  const disclaim = claimDirectory(data.path);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    shared_buffers: '128MB',
    log_min_error_statement: 'panic', // statements may hold personal data
    ...(durable
      ? {}
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { child, dismiss } = spawnGuarded(
    path.join(binaries, 'bin/postgres'),
    ['-D', data.path, '-p', String(options.port), ...flags],
    { ...data.account, cwd: '/', env: environment, output: ['ignore', 'pipe'], signal: 'INT' },
  );
  let said = '';
  let isWanted = true;
  let isReady = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      dismiss();
      disclaim();
      if (isWanted) options.log?.error({ code, signal, said: said.trim() }, 'PostgreSQL ended by itself');
      resolve();
      if (isWanted && isReady) options.onEnd?.();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
      if (said.includes('ready to accept connections')) resolve();
    });
    child.once('error', (error) => {
      disclaim();
      reject(error);
    });
    child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said.trim()}`)));
  });
  isReady = true;
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return {
    adminUrl: `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${options.port}/postgres`,
    dataDir: data.path,
    pid: child.pid!,
    async stop(how = 'fast') {
      isWanted = false;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      const timer = setTimeout(() => child.kill('SIGQUIT'), stopMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Ends the server that a killed owner has left on the data directory, if there is one, so that its port is free. Throws DataDirectoryInUse when the
 * owner lives.
 */
export async function endFormerPostgres(wanted: string): Promise<void> {
  const data = findDataDirectory(wanted);
  if (fs.existsSync(data.path)) await endFormerServer(data.path);
}

/** Makes a database when it is not there, and answers its URL. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  await withClient(adminUrl, async (client) => {
    const found = await client.query('select from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });
  return withDatabase(adminUrl, name);
}

/**
 * Gives the application role a password of its own (the same one each time) and answers its URL. The role itself is made by the migrations.
 */
export async function appRoleUrl(adminUrl: string): Promise<string> {
  const url = new URL(adminUrl);
  const password = createHash('sha256').update(`agentstore_app:${url.password}`).digest('base64url');
  await withClient(adminUrl, (client) =>
    client.query(`alter role agentstore_app login nosuperuser password ${pg.escapeLiteral(password)}`),
  );
  url.username = 'agentstore_app';
  url.password = password;
  return url.href;
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
