import { randomUUID } from 'node:crypto';
import type { Database, SqlValue } from '@agentstore/kernel/db/database';
import { systemScope } from '@agentstore/kernel/access';
import type { Kind, OrderRecord, Records } from './records.ts';

/** Fields that documents may be found by; each has an index or a small table behind it. */
export type FindField =
  | 'email'
  | 'sku'
  | 'slug'
  | 'product'
  | 'user'
  | 'userEmail'
  | 'order'
  | 'checkout'
  | 'identifier'
  | 'app'
  | 'pspReference'
  | 'externalReference'
  | 'installation';

type Sql = <Row extends object>(text: string, values?: readonly SqlValue[]) => Promise<Row[]>;

/** Reads of the shop's state. `get` remembers within one request. */
export interface Store {
  readonly sql: Sql;
  get<K extends Kind>(kind: K, pk: string): Promise<Records[K] | undefined>;
  many<K extends Kind>(kind: K, pks: readonly string[]): Promise<Map<string, Records[K]>>;
  /** Every object of a kind, oldest key first. */
  all<K extends Kind>(kind: K): Promise<Records[K][]>;
  find<K extends Kind>(kind: K, field: FindField, value: string): Promise<Records[K][]>;
  /** Forgets what `get` remembered; called after each mutation. */
  forget(): void;
}

/** Reads and writes inside one transaction. */
export interface WritableStore extends Store {
  /** The object, locked until the transaction ends. */
  lock<K extends Kind>(kind: K, pk: string): Promise<Records[K] | undefined>;
  put<K extends Kind>(kind: K, record: Records[K]): Promise<void>;
  remove(kind: Kind, pk: string): Promise<void>;
  /** The next integer key of a kind, as text; also counts order numbers and keys of embedded rows. */
  nextPk(kind: string): Promise<string>;
}

/** Opens reads on the pool, outside any transaction. */
export const openStore = (database: Database): Store =>
  reads(
    async <Row extends object>(text: string, values: readonly SqlValue[] = []) =>
      (await database.pool.query<Row>(text, values as unknown[])).rows,
  );

/** Runs `work` in one transaction; nothing of it is seen when it throws. */
export const inTransaction = <T>(
  database: Database,
  work: (store: WritableStore) => Promise<T>,
): Promise<T> =>
  database.transaction(systemScope('dev-shop'), (tx) => {
    // Webhook queries are run inside the transaction and resolve fields side by side; one connection takes one statement at a time.
    let last: Promise<unknown> = Promise.resolve();
    const sql: Sql = <Row extends object>(text: string, values?: readonly SqlValue[]) => {
      const next = last.then(() => tx.sql<Row>(text, values));
      last = next.catch(() => undefined);
      return next;
    };
    return work(writes(sql));
  });

function reads(sql: Sql): Store {
  let remembered = new Map<string, Promise<unknown>>();
  return {
    sql,
    get<K extends Kind>(kind: K, pk: string) {
      const key = `${kind}:${pk}`;
      let found = remembered.get(key) as Promise<Records[K] | undefined> | undefined;
      if (!found) {
        found = one<Records[K]>(sql, '-- get\n select data from document where kind = $1 and pk = $2', [
          kind,
          pk,
        ]);
        remembered.set(key, found);
      }
      return found;
    },
    async many<K extends Kind>(kind: K, pks: readonly string[]) {
      const rows = await sql<{ pk: string; data: Records[K] }>(
        '-- many\n select pk, data from document where kind = $1 and pk = any ($2)',
        [kind, pks],
      );
      return new Map(rows.map((row) => [row.pk, row.data]));
    },
    async all<K extends Kind>(kind: K) {
      return list<Records[K]>(sql, '-- all\n select data from document where kind = $1 order by n, pk', [
        kind,
      ]);
    },
    async find<K extends Kind>(kind: K, field: FindField, value: string) {
      // The kind is written into the text (it is one of ours, never input) so that the partial indexes are used.
      const text = `-- find\n select data from document where kind = '${kind}' and data ->> '${field}' = $1 order by n, pk`;
      return list<Records[K]>(sql, text, [value]);
    },
    forget() {
      remembered = new Map();
    },
  };
}

function writes(sql: Sql): WritableStore {
  const store = reads(sql);
  return {
    ...store,
    lock: <K extends Kind>(kind: K, pk: string) =>
      one<Records[K]>(sql, '-- lock\n select data from document where kind = $1 and pk = $2 for update', [
        kind,
        pk,
      ]),
    async put<K extends Kind>(kind: K, record: Records[K]) {
      const n =
        kind === 'Order'
          ? (record as OrderRecord).number
          : /^\d{1,15}$/.test(record.pk)
            ? Number(record.pk)
            : Date.now();
      await sql(
        `-- put
         insert into document (kind, pk, n, updated_at, data) values ($1, $2, $3, $4, $5)
         on conflict (kind, pk) do update set updated_at = excluded.updated_at, data = excluded.data`,
        [kind, record.pk, n, record.updatedAt, JSON.stringify(record)],
      );
      store.forget();
    },
    async remove(kind, pk) {
      await sql('-- remove\n delete from document where kind = $1 and pk = $2', [kind, pk]);
      store.forget();
    },
    async nextPk(kind) {
      const [row] = await sql<{ last: string }>(
        `-- nextPk
         insert into counter (kind, last) values ($1, 1)
         on conflict (kind) do update set last = counter.last + 1 returning last::text`,
        [kind],
      );
      return row!.last;
    },
  };
}

async function one<T>(sql: Sql, text: string, values: readonly SqlValue[]): Promise<T | undefined> {
  return (await sql<{ data: T }>(text, values))[0]?.data;
}

async function list<T>(sql: Sql, text: string, values: readonly SqlValue[]): Promise<T[]> {
  return (await sql<{ data: T }>(text, values)).map((row) => row.data);
}

/** A key for kinds that Saleor keys by UUID. */
export const newUuid = (): string => randomUUID();
