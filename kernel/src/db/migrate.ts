import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';

/** One owner's schema and the folder of its migrations (`NNNN_what_it_does.sql`, append-only). */
export interface MigrationSource {
  readonly schema: string;
  readonly directory: string;
}

const appRole = 'agentstore_app';
/** Tables with a trigger of this name are written once: the trigger refuses changes, and the application role may not even ask. */
const appendOnly = 'append_only';
const kernelDirectory = path.join(import.meta.dirname, '../../migrations');

/**
 * Brings every schema to its newest migration, as the owner role (`adminUrl`). Each schema first gets the kernel's own tables
 * (outbox, idempotency), then its folder's files; each file runs once, in one transaction, under an advisory lock, and its sha256 is kept:
 * a file that changed after it ran is refused. The application role gets DML only, never ownership, so row-level security holds.
 */
export async function migrateAll(
  adminUrl: string,
  sources: readonly MigrationSource[],
): Promise<{ applied: string[] }> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  const applied: string[] = [];
  try {
    await client.query('select pg_advisory_lock($1)', [7_261_001]);
    await client.query(
      `do $$ begin if not exists (select from pg_roles where rolname = '${appRole}') then create role ${appRole} login; end if; end $$`,
    );
    for (const source of [...sources].sort((a, b) => a.schema.localeCompare(b.schema))) {
      if (!/^[a-z_]+$/.test(source.schema)) throw new Error(`not a schema name: ${source.schema}`);
      await client.query(`create schema if not exists ${source.schema}; grant usage on schema ${source.schema} to ${appRole};
        create table if not exists ${source.schema}.migration (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
      for (const { name, sql } of migrationsOf(source))
        if (await apply(client, source.schema, name, sql)) applied.push(`${source.schema}/${name}`);
      await client.query(`grant select, insert, update, delete on all tables in schema ${source.schema} to ${appRole};
        grant usage, select on all sequences in schema ${source.schema} to ${appRole};
        grant execute on all functions in schema ${source.schema} to ${appRole};
        revoke insert, update, delete on ${source.schema}.migration from ${appRole};
        do $$ declare written regclass; begin
          for written in select tgrelid from pg_trigger join pg_class c on c.oid = tgrelid
            where tgname = '${appendOnly}' and c.relnamespace = '${source.schema}'::regnamespace
          loop execute format('revoke update, delete on %s from ${appRole}', written); end loop;
        end $$`);
    }
    return { applied };
  } finally {
    await client.end();
  }
}

/** Migrations (`schema/name`) that a database has not run, or has run as another text. For any role that may read. */
export async function pendingMigrations(
  client: pg.ClientBase,
  sources: readonly MigrationSource[],
): Promise<string[]> {
  const pending: string[] = [];
  for (const source of sources) {
    const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
      `${source.schema}.migration`,
    ]);
    const ran = rows[0]?.there
      ? (
          await client.query<{ name: string; sha256: string }>(
            `select name, sha256 from ${source.schema}.migration`,
          )
        ).rows
      : [];
    for (const { name, sql } of migrationsOf(source))
      if (!ran.some((row) => row.name === name && row.sha256 === sha256Of(sql)))
        pending.push(`${source.schema}/${name}`);
  }
  return pending;
}

/** Every `<owner>/migrations` folder under the given roots; the schema is the owner's folder name with `_` for `-`. */
export function findMigrations(root: string): MigrationSource[] {
  const owners = ['subgraphs', 'workers', 'infra/dev'].flatMap((group) =>
    fs.existsSync(path.join(root, group))
      ? fs.readdirSync(path.join(root, group)).map((name) => ({ group, name }))
      : [],
  );
  return owners
    .map(({ group, name }) => ({
      schema: (group === 'infra/dev' ? `dev_${name}` : name).replaceAll('-', '_'),
      directory: path.join(root, group, name, 'migrations'),
    }))
    .filter(({ directory }) => fs.existsSync(directory));
}

/** The kernel's files, then the owner's, in the order in which they run. */
const migrationsOf = (source: MigrationSource): { name: string; sql: string }[] =>
  [
    { prefix: 'kernel/', directory: kernelDirectory },
    { prefix: '', directory: source.directory },
  ].flatMap(({ prefix, directory }) =>
    fs
      .readdirSync(directory)
      .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
      .sort()
      .map((name) => ({ name: prefix + name, sql: fs.readFileSync(path.join(directory, name), 'utf8') })),
  );

const sha256Of = (sql: string): string => createHash('sha256').update(sql).digest('hex');

async function apply(client: pg.Client, schema: string, name: string, sql: string): Promise<boolean> {
  const sha256 = sha256Of(sql);
  const ran = await client.query<{ sha256: string }>(
    `select sha256 from ${schema}.migration where name = $1`,
    [name],
  );
  if (ran.rows[0]) {
    if (ran.rows[0].sha256 !== sha256)
      throw new Error(`migration ${schema}/${name} changed after it ran; write a new one instead`);
    return false;
  }
  await client.query('begin');
  try {
    await client.query(`set local search_path to ${schema}, public`);
    await client.query(sql);
    await client.query(`insert into ${schema}.migration (name, sha256) values ($1, $2)`, [name, sha256]);
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration ${schema}/${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
