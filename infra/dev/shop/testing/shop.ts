import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { askSaleor } from '../../../saleor/ask-saleor.ts';
import { seedShop, type SeededShop } from '../seed.ts';
import { startShop, type RunningShop, type StartShopOptions } from '../server.ts';

/** What GraphQL answered, whole. */
export interface Answer {
  readonly status: number;
  readonly body: {
    data?: Record<string, unknown> | null;
    errors?: { message: string; path?: (string | number)[]; extensions: { exception: { code: string } } }[];
  };
  readonly text: string;
}

/** A seeded shop on a database of the test file's own. */
export interface ShopUnderTest {
  shop: RunningShop;
  seeded: SeededShop;
  /** Asks and answers `data`; throws on any error. As the superuser unless a token is given. */
  ask<T = Record<string, never>>(query: string, variables?: object, token?: string): Promise<T>;
  /** Sends any body with any headers and answers all there is. */
  raw(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Stops the shop and starts it again on the same state. */
  restart(): Promise<void>;
  /** Runs SQL as the superuser, to break things. */
  admin(sql: string): Promise<void>;
}

/** Starts a shop before the file's tests and stops it after them; one that is `empty` has nothing to sell, and no `seeded`. */
export function useShop(options: Partial<StartShopOptions> & { empty?: boolean } = {}): ShopUnderTest {
  const under = {} as ShopUnderTest;
  const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'dev-shop-'));
  let databaseUrl = '';
  let adminUrl = '';
  const start = async (): Promise<void> => {
    const { empty: _empty, ...given } = options; // read here: an option may be known only by now
    under.shop = await startShop({
      port: 0,
      databaseUrl,
      stateDir,
      log: silentLog,
      retryScheduleSeconds: [0.02, 0.02, 0.02, 0.02, 0.02],
      ...given,
    });
  };
  beforeAll(async () => {
    ({ url: databaseUrl, adminUrl } = await testDatabase());
    await start();
    if (!options.empty) under.seeded = await seedShop(under.shop);
  });
  afterAll(async () => {
    await under.shop.stop();
    fs.rmSync(stateDir, { recursive: true });
  });
  under.ask = async (query, variables, token) =>
    askSaleor({ url: under.shop.url, token: token ?? (await under.shop.staffToken()) }, query, variables);
  under.raw = async (body, headers = {}) => {
    const answer = await fetch(under.shop.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: JSON.parse(text) as Answer['body'] };
  };
  under.admin = async (sql) => {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  under.restart = async () => {
    await under.shop.stop();
    await start();
  };
  return under;
}
