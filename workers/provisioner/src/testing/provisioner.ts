import pg from 'pg';
import { afterAll } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { openQueue } from '@agentstore/kernel/queue';
import { testTrust } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import { pollOrders } from '../orders/poll-orders.task.ts';
import { workOrders } from '../orders/work-orders.task.ts';
import { createRoom } from '../room.ts';
import { startSmallShop } from './small-shop.ts';
import { createSmallStore } from './small-store.ts';

export interface OrderRow {
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly claims: number;
}

/** The provisioner between a small shop and a small store, on a database of the test file's own. Its work runs when the test says so. */
export async function openProvisioner(
  options: {
    /** Allowed too; nobody is there. */
    otherShops?: readonly string[];
  } = {},
) {
  const { database, url, adminUrl } = await openTestDatabase('provisioner');
  const queue = await openQueue({ url, log: silentLog });
  const { authenticate } = await testTrust('provisioner');
  const shop = await startSmallShop();
  const store = createSmallStore();
  const deps: Deps = {
    db: database,
    queue,
    authenticate,
    log: silentLog,
    controlPlane: store.controlPlane,
    billing: store.billing,
    appBaseUrl: 'http://127.0.0.1:9999',
    allowedSaleorApiUrls: [...(options.otherShops ?? []), shop.apiUrl],
    tokenKey: Buffer.alloc(32, 7),
    parkedRetrySeconds: 600,
    inboxDays: 14,
  };
  const app = createApp(deps);
  const room = createRoom(deps);
  const admin = new pg.Client({ connectionString: adminUrl, options: '-c search_path=provisioner' });
  await admin.connect();
  afterAll(async () => {
    await admin.end();
    await queue.stop();
  });
  const rows = async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    (await admin.query<Row>(sql, values)).rows;
  const self = {
    app,
    room,
    shop,
    store,
    rows,
    /** Takes the database away from the app, for good. */
    closeDatabase: () => database.close(),
    /** The app is installed in the shop. */
    install: () =>
      room.apl.set({
        saleorApiUrl: shop.apiUrl,
        appId: shop.app.id,
        token: shop.app.token,
        jwks: shop.jwks(),
      }),
    send: (path: string, { headers, body }: { headers: Record<string, string>; body: string }) =>
      app.fetch(new Request(`http://127.0.0.1:9999${path}`, { method: 'POST', headers, body })),
    /** A delivery of the shop reaches the provisioner. */
    deliver: (...args: Parameters<typeof shop.delivery>) =>
      self.send('/webhooks/saleor/order-paid', shop.delivery(...args)),
    /** Every order is due now; then what is due is worked off. */
    async work(as = room): Promise<void> {
      await rows('update order_state set next_attempt_at = now()');
      await workOrders(as);
    },
    poll: () => pollOrders(room),
    async orderRow(orderId: string): Promise<OrderRow> {
      const [row] = await rows<{ state: string; reason: string | null; attempts: number; claims: number }>(
        'select state, reason, attempts, claims from order_state where saleor_order_id = $1',
        [orderId],
      );
      if (!row) throw new Error(`the provisioner does not know the order ${orderId}`);
      return row;
    },
  };
  return self;
}
export type Provisioner = Awaited<ReturnType<typeof openProvisioner>>;
