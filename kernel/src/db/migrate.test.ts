import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { migrateAll } from './migrate.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'migrations-'));
const source = { schema: 'shelf', directory };
let adminUrl: string;
beforeAll(async () => {
  ({ adminUrl } = await testDatabase());
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

const write = (name: string, sql: string): void => fs.writeFileSync(path.join(directory, name), sql);
async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('runs each file once, in order, and refuses one that changed after it ran', async () => {
  write('0001_makes_books.sql', 'create table book (id int)');
  write('0002_adds_titles.sql', 'alter table book add column title text');
  const { applied } = await migrateAll(adminUrl, [source]);
  expect(applied.filter((name) => !name.includes('kernel/'))).toEqual([
    'shelf/0001_makes_books.sql',
    'shelf/0002_adds_titles.sql',
  ]);
  expect(await migrateAll(adminUrl, [source])).toEqual({ applied: [] });

  write('0001_makes_books.sql', 'create table book (id bigint)');
  write('0003_adds_pages.sql', 'alter table book add column pages int');
  await expect(migrateAll(adminUrl, [source])).rejects.toThrow(
    'migration shelf/0001_makes_books.sql changed after it ran; write a new one instead',
  );
  expect(await query(`select name from shelf.migration where name like '0003%'`)).toEqual([]);
  write('0001_makes_books.sql', 'create table book (id int)');
});

it('leaves nothing of a file that failed, and names it', async () => {
  write('0003_adds_pages.sql', 'alter table book add column pages int; select 1 / 0');
  await expect(migrateAll(adminUrl, [source])).rejects.toThrow(
    'migration shelf/0003_adds_pages.sql failed: division by zero',
  );
  expect(
    await query(
      `select column_name from information_schema.columns where table_schema = 'shelf' and table_name = 'book' and column_name = 'pages'`,
    ),
  ).toEqual([]);
  write('0003_adds_pages.sql', 'alter table book add column pages int');
  expect(await migrateAll(adminUrl, [source])).toEqual({ applied: ['shelf/0003_adds_pages.sql'] });
});

it('runs once when two start at the same moment', async () => {
  write('0004_adds_shelves.sql', 'create table shelf (id int)');
  const both = await Promise.all([migrateAll(adminUrl, [source]), migrateAll(adminUrl, [source])]);
  expect(both.flatMap(({ applied }) => applied)).toEqual(['shelf/0004_adds_shelves.sql']);
});
