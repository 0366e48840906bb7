import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openProvisioner, type Provisioner } from '../testing/provisioner.ts';
import type { StoredOrder } from '../testing/small-shop.ts';

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
const read = (name: string): string => fs.readFileSync(path.join(recordings, name), 'utf8');
/** The recorded shop; the small one answers what it would answer to the re-read. */
const shop = 'http://127.0.0.1:8000/graphql/';
const [plan, pack] = ['UHJvZHVjdFZhcmlhbnQ6NDAy', 'UHJvZHVjdFZhcmlhbnQ6NDAz'];
let app: Provisioner;

beforeAll(async () => {
  app = await openProvisioner({ otherShops: [shop] });
  app.store.plans.add(plan!);
  app.store.packs.add(pack!);
});
beforeEach(async () => {
  await app.rows('truncate order_state, inbox');
  app.store.forget();
  app.shop.orders.clear();
  if (there)
    await app.room.apl.set({
      saleorApiUrl: shop,
      appId: app.shop.app.id,
      token: app.shop.app.token,
      jwks: read('jwks.json'),
    });
});

const paths: Record<string, string> = {
  order_fully_paid: 'order-paid',
  order_refunded: 'order-refunded',
  order_fully_refunded: 'order-fully-refunded',
  order_cancelled: 'order-cancelled',
};

function deliver(name: string, change: (body: string) => string = (body) => body): Promise<Response> {
  const recorded = JSON.parse(read(`${name}.headers.json`)) as { headers: [string, string][] };
  const headers = Object.fromEntries(
    recorded.headers
      .map(([header, value]): [string, string] => [header.toLowerCase(), value])
      .filter(([header]) => !/^(host|content-length|connection|accept-encoding)$/.test(header)),
  );
  return app.send(`/webhooks/saleor/${paths[name.split('.')[0]!]}`, {
    headers,
    body: change(read(`${name}.body.json`)),
  });
}

/** What is due is worked off; the small shop answers for the recorded one. */
function work(): Promise<void> {
  const { apl } = app.room;
  const get: typeof apl.get = async (url) => {
    const credentials = await apl.get(url);
    return credentials && { ...credentials, saleorApiUrl: app.shop.apiUrl };
  };
  return app.work({ ...app.room, apl: { ...apl, get } });
}

interface RecordedMoney {
  readonly amount: number;
}
type Recorded = Omit<
  StoredOrder,
  'total' | 'totalCharged' | 'totalRefunded' | 'transactions' | 'updatedAt'
> & {
  readonly total: { readonly gross: RecordedMoney };
  readonly totalCharged: RecordedMoney;
  readonly totalRefunded: RecordedMoney;
};

/** The shop answers the re-read with the order as the body shows it: at the time of the event. */
function answers(name: string): StoredOrder {
  const { order, issuedAt } = JSON.parse(read(`${name}.body.json`)) as { order: Recorded; issuedAt: string };
  const minor = ({ amount }: RecordedMoney) => ({ fractionalAmount: Math.round(amount * 100) });
  const charged = minor({ amount: order.totalCharged.amount + order.totalRefunded.amount });
  const refund = { type: 'REFUND_SUCCESS', pspReference: 'refund', amount: minor(order.totalRefunded) };
  const stored: StoredOrder = {
    ...order,
    updatedAt: issuedAt,
    total: { gross: minor(order.total.gross) },
    totalCharged: minor(order.totalCharged),
    totalRefunded: minor(order.totalRefunded),
    transactions: [
      {
        events: [
          { type: 'CHARGE_SUCCESS', pspReference: '', amount: charged },
          ...(refund.amount.fractionalAmount ? [refund] : []),
        ],
      },
    ],
  };
  app.shop.orders.set(order.id, stored);
  return stored;
}

it('has the recordings where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

describe.runIf(there)('a delivery recorded from a running Saleor', () => {
  /** Deliveries of the second app that was installed there, whose genuine signature must not pass for ours. */
  const foreign = ['order_fully_paid.missing_permission', 'order_fully_paid.filterable_root'];
  /** What each comes to by itself: how the order stands, why, and how many lines and top-ups were granted. */
  const outcomes: Readonly<Record<string, [state: string, reason: string, granted: [number, number]]>> = {
    order_fully_paid: ['GRANTED', '', [2, 2]],
    'order_fully_paid.again_after_refund': ['GRANTED', '', [2, 2]],
    'order_fully_paid.unconfirmed.attempt1-500': ['GRANTED', '', [1, 1]],
    'order_fully_paid.unconfirmed.attempt2-500': ['GRANTED', '', [1, 1]],
    'order_fully_paid.overcharged': ['GRANTED', '', [1, 1]],
    'order_fully_paid.guest': ['WAITING', 'GUEST', [0, 0]],
    'order_fully_paid.zero_total': ['PARKED', 'UNKNOWN_VARIANT', [0, 0]],
    'order_fully_paid.variant_deleted': ['PARKED', 'UNKNOWN_VARIANT', [0, 0]],
    order_refunded: ['PARKED', 'PARTIALLY_REFUNDED', [0, 0]],
    order_fully_refunded: ['REVOKED', 'REFUNDED', [0, 0]],
    order_cancelled: ['REVOKED', 'CANCELLED', [0, 0]],
  };

  it('is one of those whose outcome is known', () =>
    expect(names.filter((name) => !foreign.includes(name)).sort()).toEqual(Object.keys(outcomes).sort()));

  it.each(Object.keys(outcomes))('%s', async (name) => {
    const { id } = answers(name);
    expect((await deliver(name)).status).toBe(200);
    await work();
    const [state, reason, [lines, topUps]] = outcomes[name]!;
    const row = await app.orderRow(id);
    expect(row.state).toBe(state);
    expect(row.reason ?? '').toContain(reason);
    expect([app.store.granted.size, app.store.topUps.size]).toEqual([lines, topUps]);
    expect(app.store.revoked.has(id)).toBe(state === 'REVOKED');
  });

  it.each(foreign)('%s is for another app', async (name) => {
    expect((await deliver(name)).status).toBe(403);
    expect(await app.rows('select from inbox')).toEqual([]);
  });

  it('one after the other of one order: granted once, kept through a part refund, taken back with the rest', async () => {
    const steps: [string, string, number][] = [
      ['order_fully_paid', 'GRANTED', 0],
      ['order_refunded', 'GRANTED', 0],
      ['order_fully_paid.again_after_refund', 'GRANTED', 0],
      ['order_fully_refunded', 'REVOKED', 2],
    ];
    for (const [name, state, clawedBack] of steps) {
      const { id } = answers(name);
      await deliver(name);
      await work();
      expect({ name, ...(await app.orderRow(id)) }).toMatchObject({ name, state });
      expect([app.store.granted.size, app.store.topUps.size]).toEqual([2, 2]);
      expect(app.store.clawedBack).toHaveLength(clawedBack);
    }
  });

  it('is not taken when its JSON was written again; with the shop away to confirm its keys it is told to come again', async () => {
    expect((await deliver('order_fully_paid', (body) => JSON.stringify(JSON.parse(body)))).status).toBe(503);
  });

  it('is kept once, however often it comes, and its order is due', async () => {
    await Promise.all(Array.from({ length: 5 }, () => deliver('order_fully_paid')));
    expect(await app.rows('select event, saleor_order_id from inbox')).toEqual([
      {
        event: 'order_fully_paid',
        saleor_order_id: 'T3JkZXI6ODU4Njk4ODItNzI0ZC00ODRjLWJjMTktMzU1MTM0ZGQ0NjBi',
      },
    ]);
    expect(await app.rows('select state from order_state')).toEqual([{ state: 'DUE' }]);
  });
});
