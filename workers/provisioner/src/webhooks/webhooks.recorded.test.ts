import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { openQueue, type Queue } from '@agentstore/kernel/queue';
import { testTrust } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { createApp } from '../app.ts';
import { encryptText } from '../saleor-app/encrypted-text.ts';

/** Traffic recorded from a running Saleor 3.22.67 lies beside the repository. */
const recordings = path.join(import.meta.dirname, '../../../../../shared/data/saleor');
const there = fs.existsSync(recordings);
if (!there)
  process.stderr.write(
    'RECORDED TRAFFIC IS MISSING (../shared/data/saleor): the recorded webhooks were not checked\n',
  );

const names = there
  ? fs
      .readdirSync(recordings)
      .filter((name) => /^order_.*\.body\.json$/.test(name))
      .map((name) => name.replace('.body.json', ''))
  : [];
const shop = 'http://127.0.0.1:8000/graphql/';
const key = Buffer.alloc(32, 7);
let app: App;
let queue: Queue;
let admin: pg.Client;

beforeAll(async () => {
  const { database, url, adminUrl } = await openTestDatabase('provisioner');
  queue = await openQueue({ url, log: silentLog });
  const { authenticate } = await testTrust('provisioner');
  const nobody = createServiceClient({ name: 'nobody', baseUrl: 'http://127.0.0.1:1' });
  app = createApp({
    db: database,
    queue,
    authenticate,
    log: silentLog,
    controlPlane: nobody,
    billing: nobody,
    appBaseUrl: 'http://127.0.0.1:9999',
    allowedSaleorApiUrls: [shop],
    tokenKey: key,
  });
  admin = new pg.Client({ connectionString: adminUrl, options: '-c search_path=provisioner' });
  await admin.connect();
  if (there)
    await admin.query(
      'insert into saleor_app (saleor_api_url, app_id, token, jwks) values ($1, $2, $3, $4)',
      [
        shop,
        'QXBwOjE=',
        encryptText(key, 't'.repeat(30), shop),
        fs.readFileSync(path.join(recordings, 'jwks.json'), 'utf8'),
      ],
    );
});
afterAll(async () => {
  await admin.end();
  await queue.stop();
});

const paths: Record<string, string> = {
  order_fully_paid: 'order-paid',
  order_refunded: 'order-refunded',
  order_fully_refunded: 'order-fully-refunded',
  order_cancelled: 'order-cancelled',
};

function deliver(name: string, change: (body: string) => string = (body) => body): Promise<Response> {
  const recorded = JSON.parse(fs.readFileSync(path.join(recordings, `${name}.headers.json`), 'utf8')) as {
    headers: [string, string][];
  };
  const headers = new Headers(
    recorded.headers.filter(
      ([header]) => !/^(host|content-length|connection|accept-encoding)$/i.test(header),
    ),
  );
  const body = change(fs.readFileSync(path.join(recordings, `${name}.body.json`), 'utf8'));
  return app.fetch(
    new Request(`http://127.0.0.1:9999/webhooks/saleor/${paths[name.split('.')[0]!]}`, {
      method: 'POST',
      headers,
      body,
    }),
  );
}

it('has the recordings where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

describe.runIf(there)('a delivery recorded from a running Saleor', () => {
  /** Deliveries of the second app that was installed there, whose genuine signature must not pass for ours. */
  const foreign = ['order_fully_paid.missing_permission', 'order_fully_paid.filterable_root'];
  it.each(names)('%s', async (name) => {
    const { status } = await deliver(name);
    expect(status).toBe(foreign.includes(name) ? 403 : 200);
  });

  it('is not taken when its JSON was written again; with the shop away to confirm its keys it is told to come again', async () => {
    expect((await deliver('order_fully_paid', (body) => JSON.stringify(JSON.parse(body)))).status).toBe(503);
  });

  it('is kept once, however often it comes, and its order is due', async () => {
    await Promise.all(Array.from({ length: 5 }, () => deliver('order_fully_paid')));
    const { rows } = await admin.query(
      "select event from inbox where saleor_order_id = 'T3JkZXI6ODU4Njk4ODItNzI0ZC00ODRjLWJjMTktMzU1MTM0ZGQ0NjBi' and event ilike 'order_fully_paid'",
    );
    expect(rows.length).toBeGreaterThan(0);
    const due = await admin.query(
      "select state from order_state where saleor_order_id = 'T3JkZXI6ODU4Njk4ODItNzI0ZC00ODRjLWJjMTktMzU1MTM0ZGQ0NjBi'",
    );
    expect(due.rows).toEqual([{ state: 'DUE' }]);
  });
});
