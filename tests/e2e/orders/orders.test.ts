import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { signIn } from '../../../infra/dev/identity/sign-in.ts';
import { askSaleor } from '../../../infra/saleor/ask-saleor.ts';
import type { Payment } from '../../../infra/dev/shop/pay-for.ts';
import { startShop } from '../../../infra/dev/shop/server.ts';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import type { Data } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';
import { deliver, pollNow, signedAnew } from './deliveries.ts';

let store: Store;
let buyer: Person;
let organizationId: string;
let database: pg.Client;
beforeAll(async () => {
  store = await openStore();
  database = new pg.Client({ connectionString: store.adminUrl });
  await database.connect();
  buyer = await store.signUp();
  const { workspaceAuto } = await buyer.query(
    'mutation { workspaceAuto(input: {}) { organization { id } } }',
  );
  organizationId = workspaceAuto.organization.id;
});
afterAll(async () => {
  await assertInvariants(store.adminUrl);
  await database.end();
  await store.close();
});

const outcome = 'query ($id: ID!) { order(id: $id) { instances { id state } topUps { amount } } }';
const rows = async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
  (await database.query<Row>(sql, values)).rows;

interface Progress {
  readonly state: string;
  readonly reason: string | null;
  readonly claims: number;
}
/** Where the provisioner is with an order, once it is there. */
const becomes = async (orderId: string, wanted: (progress: Progress) => boolean): Promise<Progress> => {
  let last: Progress | undefined;
  await expect
    .poll(
      async () => {
        [last] = await rows<Progress>(
          'select state, reason, claims from provisioner.order_state where saleor_order_id = $1',
          [orderId],
        );
        return last !== undefined && wanted(last);
      },
      { timeout: 20_000, interval: 50 },
    )
    .toBe(true);
  return last!;
};
const isIn = (state: string) => (progress: Progress) => progress.state === state;
const claimsOf = async (orderId: string): Promise<number> =>
  (
    await rows<{ claims: number }>('select claims from provisioner.order_state where saleor_order_id = $1', [
      orderId,
    ])
  )[0]?.claims ?? 0;
/** Everything that an order did to wallets. */
const ledgerOf = (orderId: string) =>
  rows<{ kind: string; amount: string }>(
    'select kind, amount::text from billing.ledger_entry where saleor_order_id = $1 order by kind, amount',
    [orderId],
  );
const instancesOf = (orderId: string) =>
  rows('select id from control_plane.instance where saleor_order_id = $1', [orderId]);
const bought = [
  { kind: 'GRANT', amount: '500000000' },
  { kind: 'TOP_UP', amount: '1000000000' },
];
const planAndPack = () => [store.seed.proVariantId, store.seed.pack1000VariantId];

/** The shop's staff does something by hand. */
const staff = async (mutation: string, variables: object): Promise<void> => {
  const { shop } = store.stack.doubles;
  await askSaleor({ url: shop.url, token: await shop.staffToken() }, mutation, variables);
};

/** A paid order of which the shop's delivery was lost on its way, and the delivery. */
async function buyUntold(variantIds: readonly string[] = planAndPack()) {
  const lost = store.stack.doubles.shop.loseNextDelivery('ORDER_FULLY_PAID');
  const order = await buyer.buy(variantIds, { organizationId });
  return { order, delivery: await lost };
}

describe('an order of the shop', () => {
  it('whose delivery comes twenty times at once, before anything is settled, is granted once', async () => {
    const { order, delivery } = await buyUntold();
    expect(await instancesOf(order.id)).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(delivery)));
    expect(answers).toEqual(answers.map(() => 200));
    await becomes(order.id, isIn('GRANTED'));
    expect(await ledgerOf(order.id)).toEqual(bought);
    expect(await instancesOf(order.id)).toHaveLength(1);
    const { order: seen } = await buyer.query(outcome, { id: order.id });
    expect(seen.instances).toHaveLength(1);
    expect(seen.topUps.map((entry) => entry.amount).sort()).toEqual(['1000000000', '500000000']);
    // Replayed once more when all is done: kept once, and nothing is even looked at again.
    const claims = await claimsOf(order.id);
    expect(await deliver(delivery)).toBe(200);
    expect(await rows('select from provisioner.inbox where saleor_order_id = $1', [order.id])).toHaveLength(
      1,
    );
    expect(await becomes(order.id, isIn('GRANTED'))).toMatchObject({ claims });
    expect(await ledgerOf(order.id)).toEqual(bought);
  });

  it('whose delivery is lost is found by the poll', async () => {
    const { order } = await buyUntold();
    expect(await rows('select from provisioner.inbox where saleor_order_id = $1', [order.id])).toEqual([]);
    await pollNow(store);
    await becomes(order.id, isIn('GRANTED'));
    expect(await ledgerOf(order.id)).toEqual(bought);
    expect(await instancesOf(order.id)).toHaveLength(1);
  });

  it('goes to the organization it names only if its buyer may buy for it', async () => {
    const stranger = await store.signUp();
    const order = await stranger.buy([store.seed.pack1000VariantId], { organizationId });
    await stranger.waitFor(outcome, { id: order.id }, ({ order: seen }) =>
      seen.topUps.length ? seen : undefined,
    );
    const { viewer } = await stranger.query(
      '{ viewer { memberships { organization { id wallet { balance } } } } }',
    );
    expect(viewer.memberships).toHaveLength(1);
    expect(viewer.memberships[0]!.organization.id).not.toBe(organizationId);
    expect(BigInt(viewer.memberships[0]!.organization.wallet.balance)).toBeGreaterThanOrEqual(1_000_000_000n);
  });

  it('parks a line that nothing is bound to, with a reason that operators see and buyers do not, and grants it once it is bound', async () => {
    const variant = store.stack.shop.variants.pack5000.id;
    const [pack] = await rows<Record<string, unknown>>(
      'delete from control_plane.credit_pack where saleor_variant_id = $1 returning *',
      [variant],
    );
    const order = await buyer.buy([variant], { organizationId });
    await becomes(order.id, isIn('PARKED'));
    const operator = await operatorClient();
    const { parkedOrderLines } = await operator.query<Data>('{ parkedOrderLines { orderNumber reason } }');
    const waits = {
      orderNumber: order.number,
      reason: expect.stringContaining('UNKNOWN_VARIANT') as string,
    };
    expect(parkedOrderLines).toContainEqual(waits);
    const parkedOrders = async () =>
      (await operator.query<Data>('{ parkedOrders { orderNumber reason } }')).parkedOrders;
    await expect.poll(parkedOrders).toContainEqual(waits);
    for (const query of ['{ parkedOrderLines { reason } }', '{ parkedOrders { reason } }'])
      await expect(buyer.query(query)).rejects.toMatchObject({ codes: ['FORBIDDEN'] });
    // The operator binds the variant; its turn would come by itself.
    await rows(
      'insert into control_plane.credit_pack select * from json_populate_record(null::control_plane.credit_pack, $1)',
      [JSON.stringify(pack)],
    );
    await rows('update provisioner.order_state set next_attempt_at = now() where saleor_order_id = $1', [
      order.id,
    ]);
    await becomes(order.id, isIn('GRANTED'));
    expect(await ledgerOf(order.id)).toHaveLength(1);
    await expect.poll(parkedOrders).not.toContainEqual(waits);
  });

  it('that is refunded gives back what it gave, and a late event of its payment grants nothing', async () => {
    const before = BigInt((await buyer.wallet(organizationId)).balance);
    const { order, delivery } = await buyUntold();
    await deliver(delivery);
    const [instance] = await buyer.waitFor(outcome, { id: order.id }, ({ order: seen }) =>
      seen.topUps.length === 2 && seen.instances[0]?.state === 'ACTIVE' ? seen.instances : undefined,
    );
    await store.refund(order.payment);
    await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state } }',
      { id: instance!.id },
      ({ instance: now }) => (now.state === 'TERMINATED' ? now : undefined),
    );
    await becomes(order.id, isIn('REVOKED'));
    const takenBack = await ledgerOf(order.id);
    expect(takenBack.filter(({ kind }) => kind === 'REFUND')).toHaveLength(2);
    const { claims } = await becomes(order.id, isIn('REVOKED'));
    // The same bytes once more are known; the same event in other bytes is looked at, and finds the order refunded.
    expect(await deliver(delivery)).toBe(200);
    const late = await signedAnew(
      store,
      delivery,
      JSON.stringify({ ...(JSON.parse(delivery.body.toString()) as object), issuedAt: 'later' }),
    );
    expect(await deliver(late)).toBe(200);
    await becomes(order.id, (progress) => progress.claims > claims && progress.state === 'REVOKED');
    expect(await ledgerOf(order.id)).toEqual(takenBack);
    expect(BigInt((await buyer.wallet(organizationId)).balance)).toBe(before);
  });

  it.each<[string, (payment: Payment, orderId: string) => Promise<void>]>([
    [
      'as staff granted it: the shop says FULL of nothing',
      async (payment, id) => {
        await staff(
          'mutation ($id: ID!, $input: OrderGrantRefundCreateInput!) { orderGrantRefundCreate(id: $id, input: $input) { errors { message } } }',
          {
            id,
            input: {
              amount: payment.amount,
              transactionId: payment.transactionId,
              reasonReference: Buffer.from('Page:1').toString('base64'),
            },
          },
        );
        await store.refund(payment);
      },
    ],
    [
      'by hand: what is charged is not lowered',
      ({ transactionId, amount, currency }) =>
        staff(
          'mutation ($id: ID!, $transaction: TransactionUpdateInput!) { transactionUpdate(id: $id, transaction: $transaction) { errors { message } } }',
          { id: transactionId, transaction: { amountRefunded: { amount, currency } } },
        ),
    ],
  ])('that is refunded in full %s', async (_name, refund) => {
    const order = await buyer.buy(planAndPack(), { organizationId });
    await becomes(order.id, isIn('GRANTED'));
    await refund(order.payment, order.id);
    await becomes(order.id, isIn('REVOKED'));
    const sum = (await ledgerOf(order.id)).reduce((left, { amount }) => left + BigInt(amount), 0n);
    expect(sum).toBe(0n);
  });

  it('that was refunded before its payment was told of is never granted', async () => {
    const { order, delivery } = await buyUntold();
    await store.refund(order.payment);
    await becomes(order.id, isIn('REVOKED'));
    const claims = await claimsOf(order.id);
    expect(await deliver(delivery)).toBe(200);
    await becomes(order.id, (progress) => progress.claims > claims && progress.state === 'REVOKED');
    expect(await ledgerOf(order.id)).toEqual([]);
    expect(await instancesOf(order.id)).toEqual([]);
  });
});

describe('a delivery', () => {
  it('is refused for good when its JSON was written again, and when it is for another app', async () => {
    const { order, delivery } = await buyUntold([store.seed.pack1000VariantId]);
    const payload = JSON.parse(delivery.body.toString()) as object;
    expect(await deliver({ ...delivery, body: Buffer.from(JSON.stringify(payload)) })).toBe(401);
    const foreign = JSON.stringify({ ...payload, recipient: { id: 'QXBwOjk5OTk=' } });
    expect(await deliver(await signedAnew(store, delivery, foreign))).toBe(403);
    expect(await rows('select from provisioner.inbox where saleor_order_id = $1', [order.id])).toEqual([]);
  });

  const send = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${store.stack.provisionerOrigin}/webhooks/saleor/order-paid`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'saleor-event': 'order_fully_paid',
        'saleor-api-url': store.stack.doubles.shop.url,
        'saleor-domain': 'x',
        ...headers,
      },
    });
  const body = JSON.stringify({ recipient: { id: 'QXBwOjE=' }, order: { id: 'T3JkZXI6eA==', number: '1' } });

  it.each<[string, () => Promise<Response>, number]>([
    ['without a signature', () => send(body), 400],
    [
      "with a signature that is not the shop's",
      () =>
        send(body, { 'saleor-signature': 'eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..AAAA' }),
      401,
    ],
    [
      'from a shop that is not ours',
      () => send(body, { 'saleor-api-url': 'http://evil.test/graphql/', 'saleor-signature': 'x..y' }),
      403,
    ],
  ])('%s is refused for good', async (_name, sent, status) => expect((await sent()).status).toBe(status));
});

/** The last one: the shop is another process afterwards. */
it('the shop goes away between its delivery and the re-read: the order is granted once when it is back', async () => {
  const { order, delivery } = await buyUntold();
  const { shop, databaseUrl } = store.stack.doubles;
  await shop.stop();
  expect(await deliver(delivery)).toBe(200);
  const { reason } = await becomes(order.id, (progress) => progress.reason !== null);
  expect(reason).toContain('UNAVAILABLE');
  expect(await ledgerOf(order.id)).toEqual([]);
  const again = await startShop({
    port: Number(new URL(shop.url).port),
    databaseUrl,
    stateDir: path.join(store.stateDir, 'shop'),
    log: silentLog,
  });
  store.later(() => again.stop());
  await becomes(order.id, isIn('GRANTED'));
  expect(await ledgerOf(order.id)).toEqual(bought);
  expect(await instancesOf(order.id)).toHaveLength(1);
});

async function operatorClient() {
  const { identity } = store.stack.doubles;
  const operator = identity.users.find(({ roles }) => roles.includes('operator'))!;
  const { accessToken } = await signIn({
    issuer: identity.issuer,
    clientId: identity.clientId,
    audience: identity.audience,
    email: operator.email,
    password: operator.password,
  });
  return store.as(accessToken);
}
