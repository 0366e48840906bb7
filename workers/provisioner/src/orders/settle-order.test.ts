import { beforeAll, describe, expect, it } from 'vitest';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { workOrders } from './work-orders.task.ts';
import { openProvisioner, type Provisioner } from '../testing/provisioner.ts';
import { paidOrder, refunded, type StoredOrder } from '../testing/small-shop.ts';

let app: Provisioner;
beforeAll(async () => {
  app = await openProvisioner();
  await app.install();
});

/** An order of the shop that the provisioner was told of. */
async function told(order: StoredOrder): Promise<StoredOrder> {
  app.shop.orders.set(order.id, order);
  expect((await app.deliver(order.id)).status).toBe(200);
  return order;
}
/** The shop's order changes, and the shop tells. */
async function changes(order: StoredOrder): Promise<void> {
  app.shop.orders.set(order.id, order);
  const { headers, body } = app.shop.delivery(order.id, {
    body: `{"recipient": {"id": "${app.shop.app.id}"}, "order": {"id": "${order.id}", "number": "1"}, "issuedAt": "${order.updatedAt} ${Math.random()}"}`,
  });
  expect((await app.send('/webhooks/saleor/order-paid', { headers, body })).status).toBe(200);
}
const topUpsOf = ({ id }: StoredOrder) =>
  [...app.store.topUps.keys()].filter((key) => key.includes(id)).sort();
const keysOf = ({ id }: StoredOrder) => [`saleor:${id}:${id}:pack`, `saleor:${id}:${id}:plan:plan`];
const whileItIs = async <T>(instead: Provisioner['store']['instead'], work: () => Promise<T>): Promise<T> => {
  app.store.instead = instead;
  return work().finally(() => (app.store.instead = () => undefined));
};
const billingDown = (path: string) =>
  path.startsWith('/wallet')
    ? problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'down' })
    : undefined;

describe('money that went back', () => {
  it('before anything was granted: the lines wait for an operator, and nothing is said to be granted', async () => {
    const order = await told(refunded(paidOrder('half-refunded-first'), 1_000));
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'PARKED',
      reason: expect.stringContaining('PARTIALLY_REFUNDED') as string,
    });
    expect(topUpsOf(order)).toEqual([]);
    expect(app.store.parked.get(order.id)).toContain('PARTIALLY_REFUNDED');
  });

  it('between the control plane and billing: what was begun is finished under the same keys', async () => {
    const order = await told(paidOrder('half-refunded-between'));
    await whileItIs(billingDown, () => app.work());
    expect(topUpsOf(order)).toEqual([]);
    await changes(refunded(order, 1_000));
    await app.work();
    expect(topUpsOf(order)).toEqual(keysOf(order));
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'GRANTED',
      reason: expect.stringContaining('PARTIALLY_REFUNDED') as string,
    });
  });

  it('in full, and then it is paid again: an operator sees it, it is not said to be granted', async () => {
    const order = await told(paidOrder('paid-again'));
    await app.work();
    await changes(refunded(order, 3_900));
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'REVOKED', reason: 'REFUNDED' });
    expect(app.store.clawedBack.filter((key) => key.includes(order.id)).sort()).toEqual(keysOf(order));
    const again = refunded(order, 3_900);
    await changes({ ...again, chargeStatus: 'FULL', totalCharged: order.totalCharged });
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'PARKED',
      reason: expect.stringContaining('ORDER_REVOKED') as string,
    });
    expect(app.store.parked.get(order.id)).toContain('ORDER_REVOKED');
  });

  it.each([
    ['of a granted order takes it back', true, 'REVOKED'],
    ['before anything was granted leaves it waiting for a payment', false, 'WAITING'],
  ])('by a charge-back, %s', async (_name, wasGranted, state) => {
    const order = paidOrder(`charged-back-${state}`);
    if (wasGranted) {
      await told(order);
      await app.work();
    }
    const zero = { fractionalAmount: 0 };
    const events = [
      ...order.transactions[0]!.events,
      { type: 'CHARGE_BACK', pspReference: 'back', amount: { fractionalAmount: 3_900 } },
    ];
    await changes({ ...order, chargeStatus: 'NONE', totalCharged: zero, transactions: [{ events }] });
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state });
    expect(app.store.clawedBack.filter((key) => key.includes(order.id)).sort()).toEqual(
      wasGranted ? keysOf(order) : [],
    );
  });
});

describe('a shop that does not answer as it should', () => {
  const json = (body: object, status = 200) => Response.json(body, { status });
  it.each<[string, () => Response, string]>([
    ['answers a part of the body', () => new Response('{"data": {"order": {"id"'), 'UNAVAILABLE'],
    ["shows its ingress' page", () => new Response('<html>Bad gateway</html>'), 'UNAVAILABLE'],
    ['is locked by a proxy', () => new Response('<html>no</html>', { status: 403 }), 'UNAVAILABLE'],
    ['asks for patience', () => new Response('', { status: 429 }), 'UNAVAILABLE'],
    ['is broken', () => new Response('', { status: 500 }), 'UNAVAILABLE'],
    [
      'answers an error beside data',
      () =>
        json({
          data: { app: { id: app.shop.app.id }, order: { ...paidOrder('x'), user: null } },
          errors: [{ message: 'Internal Server Error', extensions: { exception: { code: 'OSError' } } }],
        }),
      'SHOP_ERROR',
    ],
  ])('%s: the order is tried again, and granted once it is well', async (name, answer, reason) => {
    const order = await told(paidOrder(`shop ${name}`));
    app.shop.instead = answer;
    await app.work();
    app.shop.instead = () => undefined;
    const row = await app.orderRow(order.id);
    expect(row).toMatchObject({
      state: 'DUE',
      reason: expect.stringContaining(reason) as string,
      attempts: 1,
    });
    expect(topUpsOf(order)).toEqual([]);
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'GRANTED' });
    expect(topUpsOf(order)).toEqual(keysOf(order));
  });

  it('does not know the app any more: nothing is granted to anybody, operators see it, and a new token heals it', async () => {
    const order = await told(paidOrder('dead-token'));
    const { token } = app.shop.app;
    app.shop.app.token = 'another token of the app';
    for (let tries = 0; tries < 5; tries++) await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'DUE',
      reason: expect.stringContaining('APP_TOKEN_REFUSED') as string,
    });
    expect([...app.store.granted.keys()].filter((key) => key.startsWith(order.id))).toEqual([]);
    expect(app.store.parked.get(order.id)).toContain('APP_TOKEN_REFUSED');
    await app.install();
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'GRANTED' });
    expect(app.store.parked.has(order.id)).toBe(false);
    app.shop.app.token = token;
    await app.install();
  });

  it('knows the token as another app: nothing is granted', async () => {
    const order = await told(paidOrder('other-app'));
    const { id } = app.shop.app;
    app.shop.app.id = 'QXBwOjI=';
    await app.work();
    app.shop.app.id = id;
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'DUE',
      reason: expect.stringContaining('APP_TOKEN_REFUSED') as string,
    });
    expect(topUpsOf(order)).toEqual([]);
  });

  it('does not have the order: it is parked, seen by operators, and tried again by itself', async () => {
    const order = paidOrder('not-yet-there');
    await app.deliver(order.id);
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'PARKED',
      reason: expect.stringContaining('ORDER_NOT_FOUND') as string,
    });
    expect(app.store.parked.get(order.id)).toContain('ORDER_NOT_FOUND');
    const [wait] = await app.rows<{ seconds: number }>(
      'select extract(epoch from next_attempt_at - changed_at)::int as seconds from order_state where saleor_order_id = $1',
      [order.id],
    );
    expect(wait).toEqual({ seconds: 600 });
    app.shop.orders.set(order.id, order);
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'GRANTED' });
    expect(app.store.parked.has(order.id)).toBe(false);
  });
});

describe('a neighbour that does not answer as it should', () => {
  it.each([401, 403, 429, 503])('with %i: tried again', async (status) => {
    const order = await told(paidOrder(`neighbour ${status}`));
    await whileItIs(
      () => problemResponse({ status, code: 'CODE', title: 'no' }),
      () => app.work(),
    );
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'DUE' });
    await app.work();
    expect(await app.orderRow(order.id)).toMatchObject({ state: 'GRANTED' });
  });

  it.each([400, 404, 409, 422])('with %i: parked with its code', async (status) => {
    const order = await told(paidOrder(`neighbour ${status}`));
    await whileItIs(
      (path) =>
        path.endsWith('order-paid') ? problemResponse({ status, code: 'SOME_CODE', title: 'no' }) : undefined,
      () => app.work(),
    );
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'PARKED',
      reason: expect.stringContaining('SOME_CODE') as string,
    });
  });

  it('waits longer with each try', async () => {
    const order = await told(paidOrder('backoff'));
    const waits: number[] = [];
    for (let tries = 0; tries < 4; tries++) {
      await whileItIs(
        () => problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'down' }),
        () => app.work(),
      );
      const [row] = await app.rows<{ seconds: number }>(
        'select round(extract(epoch from next_attempt_at - now()))::int as seconds from order_state where saleor_order_id = $1',
        [order.id],
      );
      waits.push(row!.seconds);
    }
    expect(waits.every((wait, at) => at === 0 || wait > waits[at - 1]!)).toBe(true);
  });

  it('refuses one top-up: the other lines get theirs, and the refusal is seen', async () => {
    const order = await told(paidOrder('one-refused'));
    await whileItIs(
      (path, body) =>
        path === '/wallet/topup' && body['kind'] === 'PLAN'
          ? problemResponse({ status: 409, code: 'IDEMPOTENCY_CONFLICT', title: 'another body' })
          : undefined,
      () => app.work(),
    );
    expect(topUpsOf(order)).toEqual([`saleor:${order.id}:${order.id}:pack`]);
    expect(await app.orderRow(order.id)).toMatchObject({
      state: 'PARKED',
      reason: expect.stringContaining('IDEMPOTENCY_CONFLICT') as string,
    });
  });
});

it('a turn whose order changed meanwhile, and that another worker took, leaves no mark', async () => {
  const order = await told(paidOrder('fenced'));
  const { promise: secondTurn, resolve: secondTurnIsOver } = Promise.withResolvers<void>();
  // The first worker reads a paid order and is slow to go on; the order is refunded, and a second worker ends it. Both are at their first attempt.
  const { controlPlane } = app.room;
  const slow = {
    ...app.room,
    controlPlane: {
      ...controlPlane,
      call: (async (...args: Parameters<typeof controlPlane.call>) => {
        await secondTurn;
        return controlPlane.call(...args);
      }) as typeof controlPlane.call,
    },
  };
  const firstTurn = workOrders(slow);
  await expect
    .poll(() => app.shop.asked.filter(({ variables }) => variables.id === order.id))
    .toHaveLength(1);
  await changes(refunded(order, 3_900));
  await app.work();
  secondTurnIsOver();
  await firstTurn;
  expect(await app.orderRow(order.id)).toMatchObject({ state: 'REVOKED', claims: 2, attempts: 1 });
});
