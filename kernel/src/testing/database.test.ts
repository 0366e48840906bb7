import pg from 'pg';
import { expect, it } from 'vitest';
import { testDatabase } from './database.ts';

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('clones asked for at the same moment are databases of their own, all migrated', async () => {
  const clones = await Promise.all(Array.from({ length: 5 }, testDatabase));
  expect(new Set(clones.map(({ url }) => url)).size).toBe(5);
  await query(clones[0]!.adminUrl, 'create table only_here ()');
  for (const { adminUrl } of clones.slice(1))
    expect(
      await query(
        adminUrl,
        `select to_regclass('only_here') as strange, to_regclass('billing.outbox') is not null as migrated`,
      ),
    ).toEqual([{ strange: null, migrated: true }]);
});

it('the application role is no superuser and owns nothing', async () => {
  const { url } = await testDatabase();
  expect(
    await query(
      url,
      `select rolname, rolsuper, rolbypassrls, (select count(*)::int from pg_class where relowner = pg_roles.oid) as owned
       from pg_roles where rolname = current_user`,
    ),
  ).toEqual([{ rolname: 'agentstore_app', rolsuper: false, rolbypassrls: false, owned: 0 }]);
});
