import { beforeAll, describe, expect, it } from 'vitest';
import { openProvisioner, type Provisioner } from '../testing/provisioner.ts';
import { paidOrder } from '../testing/small-shop.ts';

let app: Provisioner;
beforeAll(async () => {
  app = await openProvisioner();
  await app.install();
});

const path = '/webhooks/saleor/order-paid';
const order = (id: string) => {
  app.shop.orders.set(id, paidOrder(id));
  return id;
};

describe('a delivery', () => {
  it('is kept once when it comes twenty times at once, and its order is granted once', async () => {
    const id = order('twenty');
    const { headers, body } = app.shop.delivery(id);
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.send(path, { headers, body })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await app.rows('select from inbox where saleor_order_id = $1', [id])).toHaveLength(1);
    await app.work();
    expect(await app.orderRow(id)).toMatchObject({ state: 'GRANTED', claims: 1 });
    expect([...app.store.topUps.keys()].filter((key) => key.includes(id))).toHaveLength(2);
  });

  it('that comes again makes an order due that is not settled, and only such a one', async () => {
    const id = 'later';
    const delivery = app.shop.delivery(id);
    await app.send(path, delivery);
    await app.work();
    expect(await app.orderRow(id)).toMatchObject({ state: 'PARKED' });
    order(id);
    await app.send(path, delivery);
    expect(await app.orderRow(id)).toMatchObject({ state: 'DUE', attempts: 0 });
    await app.work();
    await app.send(path, delivery);
    expect(await app.orderRow(id)).toMatchObject({ state: 'GRANTED' });
  });

  it('whose JSON was written again is refused for good', async () => {
    const { headers, body } = app.shop.delivery(order('rewritten'));
    expect((await app.send(path, { headers, body: JSON.stringify(JSON.parse(body)) })).status).toBe(401);
  });

  it('for another app is refused, though the shop signed it', async () => {
    const answer = await app.deliver(order('other recipient'), { recipient: 'QXBwOjI=' });
    expect(answer.status).toBe(403);
  });

  it('of which the shop could not fill the payload is asked for again', async () => {
    const body = `{"recipient": {"id": "${app.shop.app.id}"}, "order": null}`;
    expect((await app.deliver('x', { body })).status).toBe(503);
  });

  it('of a shop that has not registered the app is asked for again', async () => {
    await app.room.apl.delete(app.shop.apiUrl);
    const answer = await app.deliver(order('not registered'));
    await app.install();
    expect(answer.status).toBe(503);
  });
});

/** Of a process that has not asked the shop for its keys yet. */
describe("the shop's keys", () => {
  let app: Provisioner;
  beforeAll(async () => {
    app = await openProvisioner();
    await app.install();
  });
  const order = (id: string) => {
    app.shop.orders.set(id, paidOrder(id));
    return id;
  };

  it('after a rotation are fetched once, kept, and nothing else of the registration is touched', async () => {
    const before = await app.rows('select app_id, token, registered_at from saleor_app');
    app.shop.rotate();
    const asked = app.shop.keysAsked;
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((id) => app.deliver(order(`rotated ${id}`)).then(({ status }) => status)),
    );
    // Those that come while the keys are on their way wait for them.
    expect(answers).toEqual([200, 200, 200]);
    expect(app.shop.keysAsked).toBe(asked + 1);
    expect(await app.rows('select app_id, token, registered_at from saleor_app')).toEqual(before);
    expect((await app.deliver(order('rotated d'))).status).toBe(200);
    // Once more at once: not asked for again yet, and not called forged.
    app.shop.rotate();
    expect((await app.deliver(order('rotated e'))).status).toBe(503);
    expect(app.shop.keysAsked).toBe(asked + 1);
  });

  it('are not fetched for every forged delivery', async () => {
    const forged = app.shop.delivery(order('forged'));
    const headers = {
      ...forged.headers,
      'saleor-signature': 'eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..AAAA',
    };
    const asked = app.shop.keysAsked;
    for (let n = 0; n < 10; n++) expect((await app.send(path, { ...forged, headers })).status).toBe(401);
    expect(app.shop.keysAsked - asked).toBeLessThanOrEqual(1);
  });
});

/** Of a process that has not asked the shop for its keys yet. */
describe('while something is away', () => {
  let fresh: Provisioner;
  beforeAll(async () => {
    fresh = await openProvisioner();
    await fresh.install();
  });

  it('the keys cannot be had: the delivery is asked for again, never refused for good', async () => {
    fresh.shop.rotate();
    fresh.shop.keysThere = false;
    expect((await fresh.deliver('T3JkZXI6eA==')).status).toBe(503);
  });

  it('the database is away: the delivery is asked for again, never refused for good', async () => {
    await fresh.closeDatabase();
    expect((await fresh.deliver('T3JkZXI6eA==')).status).toBe(503);
  });
});
