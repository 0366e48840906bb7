import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { organizationScope, systemScope } from '../access.ts';
import { uuidv7 } from '../ids.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { userCaller } from '../testing/callers.ts';
import { isDatabaseDown, openDatabase, type Database, type Tx } from './database.ts';
import { once } from './once.ts';
import { silentLog } from '../log.ts';

let made: TestDatabase & { database: Database };
const ours = uuidv7();
const theirs = uuidv7();
const system = systemScope('test');
beforeAll(async () => {
  made = await openTestDatabase('billing');
  const admin = new pg.Client({ connectionString: made.adminUrl });
  await admin.connect();
  await admin.query(`create table billing.note (id uuid primary key, organization_id uuid not null);
    alter table billing.note enable row level security;
    create policy tenant on billing.note using (billing.scope_allows(organization_id));
    grant select, insert, delete on billing.note to agentstore_app`);
  await admin.query('insert into billing.note values ($1, $2), ($3, $4)', [uuidv7(), ours, uuidv7(), theirs]);
  await admin.end();
});

describe('a scoped transaction', () => {
  it("sees its organization's rows only, whatever the query forgot", async () => {
    const scope = organizationScope(
      userCaller([{ organizationId: ours, role: 'OWNER' }]),
      ours,
      'wallet:read',
    )!;
    const rows = await made.database.transaction(scope, (tx) =>
      tx.sql<{ organization_id: string }>('select organization_id from note'),
    );
    expect(rows).toEqual([{ organization_id: ours }]);
    const all = await made.database.transaction(system, (tx) => tx.sql('select from note'));
    expect(all).toHaveLength(2);
    await expect(
      made.database.transaction(scope, (tx) =>
        tx.sql('insert into note values ($1, $2)', [uuidv7(), theirs]),
      ),
    ).rejects.toThrow(/row-level security/);
  });

  it('leaves no scope behind on the connection', async () => {
    expect(await made.database.statement('unscoped', 'select id from note')).toEqual([]);
  });

  it('undoes everything when the work throws', async () => {
    const id = uuidv7();
    await expect(
      made.database.transaction(system, async (tx) => {
        await tx.sql('insert into note values ($1, $2)', [id, ours]);
        throw new Error('after the insert');
      }),
    ).rejects.toThrow('after the insert');
    expect(
      await made.database.transaction(system, (tx) => tx.sql('select from note where id = $1', [id])),
    ).toEqual([]);
  });
});

describe('a lost database', () => {
  it('is known as such when its server ends a connection between two statements of a transaction', async () => {
    const lost = Promise.withResolvers<void>();
    made.database.pool.once('acquire', (client) => client.once('error', () => lost.resolve()));
    const admin = new pg.Client({ connectionString: made.adminUrl });
    await admin.connect();
    const error = await made.database
      .transaction(system, async (tx) => {
        const [{ pid } = { pid: 0 }] = await tx.sql<{ pid: number }>('select pg_backend_pid() as pid');
        await admin.query('select pg_terminate_backend($1)', [pid]);
        await lost.promise;
        await tx.sql('select 1');
      })
      .catch((thrown: unknown) => thrown);
    await admin.end();
    expect(error).toBeInstanceOf(Error);
    expect(isDatabaseDown(error)).toBe(true);
    expect(await made.database.transaction(system, (tx) => tx.sql('select 1 as one'))).toEqual([{ one: 1 }]);
  });

  it('is known as such when it has no connection left', async () => {
    const admin = new pg.Client({ connectionString: made.adminUrl });
    await admin.connect();
    const name = new URL(made.url).pathname.slice(1);
    await admin.query(`alter database ${name} connection limit 0`);
    const other = openDatabase({ url: made.url, schema: 'billing', log: silentLog });
    const error = await other
      .transaction(system, (tx) => tx.sql('select 1'))
      .catch((thrown: unknown) => thrown);
    await admin.query(`alter database ${name} connection limit -1`);
    await admin.end();
    await other.close();
    expect(error).toMatchObject({ code: '53300' });
    expect(isDatabaseDown(error)).toBe(true);
  });
});

describe('a transaction that another one stands in the way of', () => {
  it.each(['40001', '40P01'])('is done again after %s, at most three times', async (code) => {
    let tried = 0;
    const raise = (tx: Tx) =>
      tx.sql(`do $$ begin raise exception 'in the way' using errcode = '${code}'; end $$`);
    const answer = await made.database.transaction(system, async (tx) => {
      if (++tried < 3) await raise(tx);
      return tx.sql('select 1 as one');
    });
    expect({ answer, tried }).toEqual({ answer: [{ one: 1 }], tried: 3 });

    tried = 0;
    await expect(
      made.database.transaction(system, (tx) => {
        tried += 1;
        return raise(tx);
      }),
    ).rejects.toMatchObject({ code });
    expect(tried).toBe(3);
  });

  it('is not done again after any other error', async () => {
    let tried = 0;
    await expect(
      made.database.transaction(system, (tx) => {
        tried += 1;
        return tx.sql('select 1 / 0');
      }),
    ).rejects.toMatchObject({ code: '22012' });
    expect(tried).toBe(1);
  });
});

describe('once', () => {
  const command = (body: unknown) => ({ scope: ours, name: 'test', key: 'k1', body });
  const run = (body: unknown, answer: string) =>
    made.database.transaction(system, (tx) => once(tx, command(body), async () => ({ answer })));

  it('does the work once for 20 callers at the same moment, and gives all of them its answer', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => run({ amount: 5n }, `from ${i}`)));
    expect(results.filter((result) => result.kind === 'done')).toHaveLength(1);
    expect(
      new Set(results.map((result) => (result.kind === 'conflict' ? 'conflict' : result.answer.answer))).size,
    ).toBe(1);
  });

  it('calls the same key with another body a conflict', async () =>
    expect(await run({ amount: 6n }, 'other')).toEqual({ kind: 'conflict' }));
});
