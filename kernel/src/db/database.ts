import pg from 'pg';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Scope } from '../access.ts';
import type { Log } from '../log.ts';

// int8 as bigint: amounts and sequence numbers are exact; counts that fit a number are cast in SQL (::int). Set per connection,
// not on `pg.types`, which other users of pg in this process (the queue) share.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? (text: string) => BigInt(text)
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** A value `pg` can bind. */
export type SqlValue =
  string | number | bigint | boolean | null | Date | Buffer | readonly SqlValue[] | object | undefined;

/**
 * A transaction bound to the scope it was opened with. Stores take it as their first argument, so none can be called without a
 * caller's scope; PostgreSQL's row-level security checks the same scope again (`agentstore.scope`).
 */
export interface Tx {
  readonly scope: Scope;
  /** Runs hand-written SQL; its first line is a comment that names the function. */
  sql<Row extends object>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** drizzle over the same connection. */
  readonly orm: NodePgDatabase;
}

/** One process' connections to one PostgreSQL, with one schema as its search path. */
export interface Database {
  readonly pool: pg.Pool;
  /**
   * BEGIN, scope, work, COMMIT; ROLLBACK when work throws. Serialization failures and deadlocks are retried up to three times,
   * so work must have no effect outside the database. READ COMMITTED: each limit is a predicate on the row being updated.
   */
  transaction<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * One statement in a round trip of its own, without BEGIN. Row-level security gives it no rows; it is for functions that carry
   * their own scope (`SET agentstore.scope`) and for tables that no organization owns.
   */
  statement<Row extends object>(name: string, text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** A connection outside the pool for LISTEN; reconnecting is the caller's. */
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

/** Most statements that a connection keeps prepared; texts put together at run time must not fill the server's memory. */
const mostPrepared = 500;

/** Names each text of SQL once, so that a connection parses and plans it once. */
function statementNames(): (text: string) => { name?: string } {
  const names = new Map<string, { name: string }>();
  return (text) => {
    const known = names.get(text);
    if (known || names.size >= mostPrepared) return known ?? {};
    const made = { name: `tx_${names.size}` };
    names.set(text, made);
    return made;
  };
}

const retryable = new Set(['40001', '40P01']);

export function openDatabase(options: {
  url: string;
  schema: string;
  max?: number;
  log: Log;
  statementTimeoutMs?: number;
}): Database {
  const settings = {
    connectionString: options.url,
    application_name: `agentstore-${options.schema}`,
    options: `-c search_path=${options.schema},public -c timezone=UTC`,
    types,
    connectionTimeoutMillis: 5_000,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    keepAlive: true,
  };
  const prepared = statementNames();
  const pool = new pg.Pool({ ...settings, max: options.max ?? 10, idleTimeoutMillis: 30_000 });
  // A connection lost while idle (restart, failover) is replaced at the next use; without a listener it would end the process.
  pool.on('error', (error) => options.log.warn({ err: error }, 'idle database connection lost'));
  // The same while a transaction holds it between two statements; its next statement then fails and says so.
  pool.on('connect', (client) =>
    client.on('error', (error) => options.log.debug({ err: error }, 'database connection lost')),
  );

  async function once<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      // One round trip: the scope holds only validated UUIDs, so it can be written into the text.
      await client.query(`begin; select set_config('agentstore.scope', '${scopeSetting(scope)}', true)`);
      let orm: NodePgDatabase | undefined;
      const value = await work({
        scope,
        sql: async <Row extends object>(text: string, values: readonly SqlValue[] = []) =>
          (await client.query<Row>({ ...prepared(text), text, values: values as unknown[] })).rows,
        get orm() {
          return (orm ??= drizzle(client)); // a tenth of a millisecond, which few transactions need
        },
      });
      await client.query('commit');
      return value;
    } catch (error) {
      await client.query('rollback').catch((lost: Error) => (broken = lost));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    pool,
    async transaction(scope, work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(scope, work);
        } catch (error) {
          if (attempt >= 3 || !retryable.has((error as { code?: string }).code ?? '')) throw error;
        }
      }
    },
    async statement<Row extends object>(name: string, text: string, values: readonly SqlValue[] = []) {
      return (await pool.query<Row>({ name, text, values: values as unknown[] })).rows;
    },
    async connect() {
      const client = new pg.Client({ ...settings, statement_timeout: 0 });
      await client.connect();
      return client;
    },
    close: () => pool.end(),
  };
}

/**
 * The text of `agentstore.scope`: `*`, a comma list of organization ids, or `visitor:<organization>:<instance>:<visitor>`, which no policy takes for an
 * organization: only one that asks for visitors (`visitor_allows`) shows it rows.
 */
export function scopeSetting({ organizations, visitor }: Scope): string {
  if (organizations === 'ALL') return '*';
  const ids = organizations.filter(isPlainId);
  if (!visitor) return ids.join(',');
  const parts = [...ids, visitor.instanceId, visitor.visitorId];
  return parts.length === 3 && parts.every(isPlainId) ? `visitor:${parts.join(':')}` : '';
}

const isPlainId = (id: string): boolean => /^[0-9a-f-]{36}$/.test(id);

/** True for errors that mean "the database cannot be reached now": worth a retry, answered 503. 53300 is "too many connections". */
export function isDatabaseDown(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  const message = error instanceof Error ? error.message : '';
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|57P0[123]|53300|08)/.test(code) ||
    /Connection terminated|is not queryable|timeout exceeded when trying to connect/.test(message)
  );
}
