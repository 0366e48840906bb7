import { beforeAll, beforeEach, expect, it } from 'vitest';
import { openProvisioner, type Provisioner } from '../testing/provisioner.ts';
import { paidOrder } from '../testing/small-shop.ts';

const undecryptable = 'http://127.0.0.1:9/graphql/';
const neverRegistered = 'http://127.0.0.1:8/graphql/';
let app: Provisioner;
beforeAll(async () => {
  app = await openProvisioner({ otherShops: [undecryptable, neverRegistered] });
});
beforeEach(async () => {
  await app.rows('truncate order_state, poll_mark, saleor_app, inbox');
  app.shop.orders.clear();
  app.shop.asked.length = 0;
  app.shop.instead = () => undefined;
  await app.install();
});

const at = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const found = async () =>
  (
    await app.rows<{ id: string }>('select saleor_order_id as id from order_state order by saleor_order_id')
  ).map(({ id }) => id);
const put = (id: string, minutes: number) =>
  app.shop.orders.set(id, paidOrder(id, { updatedAt: at(minutes) }));

it('finds and grants an order that no webhook told of', async () => {
  put('lost', 1);
  await app.poll();
  await app.work();
  expect(await app.orderRow('lost')).toMatchObject({ state: 'GRANTED' });
});

it('begins with the registration, however late the first poll comes', async () => {
  put('before the app', -60);
  put('after it', 1);
  await app.rows("update poll_mark set updated_at = updated_at - interval '5 minutes'");
  await app.install(); // again, with a new token: what changed in between is not skipped
  put('in between', -4);
  await app.poll();
  expect(await found()).toEqual(['after it', 'in between']);
});

it('loses no order when the shop fails between two pages', async () => {
  app.shop.pageSize = 2;
  // The shop's own order would be newest first.
  for (const n of [5, 4, 3, 2, 1]) put(`order ${n}`, 10 * n);
  app.shop.instead = ({ variables }) => (variables.after ? new Response('', { status: 500 }) : undefined);
  await app.poll();
  expect(await found()).toEqual(['order 1', 'order 2']);
  app.shop.instead = () => undefined;
  await app.poll();
  expect(await found()).toEqual(['order 1', 'order 2', 'order 3', 'order 4', 'order 5']);
});

it('asks for the oldest change first, and for changes since the mark only', async () => {
  app.shop.pageSize = 50;
  put('first', 30);
  await app.poll();
  await app.poll();
  const [first, second] = app.shop.asked.map(({ variables }) => variables);
  expect(first!.sortBy).toEqual({ field: 'LAST_MODIFIED_AT', direction: 'ASC' });
  expect(Date.parse(second!.where!.updatedAt.gte) - Date.parse(first!.where!.updatedAt.gte)).toBeGreaterThan(
    29 * 60_000,
  );
});

it('makes nothing due again that did not change since', async () => {
  put('same', 1);
  await app.poll();
  await app.work();
  await app.poll();
  expect(await app.orderRow('same')).toMatchObject({ state: 'GRANTED' });
});

it('goes on with the other shops when the credentials of one cannot be read', async () => {
  await app.rows(
    "insert into saleor_app (saleor_api_url, app_id, token, jwks) values ($1, 'QXBwOjE=', 'c3BvaWx0LCBhbmQgbG9uZyBlbm91Z2ggZm9yIGEgdGFnIGFuZCBhIG5vbmNl', '{}')",
    [undecryptable],
  );
  await app.rows('insert into poll_mark (saleor_api_url, updated_at) values ($1, now())', [undecryptable]);
  put('here', 1);
  await app.poll();
  expect(await found()).toEqual(['here']);
});

it('leaves a shop alone that is registered and not allowed any more', async () => {
  await app.rows('update saleor_app set saleor_api_url = $1', ['http://127.0.0.1:7/graphql/']);
  put('theirs', 1);
  await app.poll();
  expect(app.shop.asked).toEqual([]);
});

it('forgets deliveries after two weeks', async () => {
  await app.rows(
    "insert into inbox (sha256, saleor_api_url, event, saleor_order_id, received_at) values ('old', 'x', 'x', 'x', now() - interval '15 days'), ('new', 'x', 'x', 'x', now() - interval '13 days')",
  );
  await app.poll();
  expect(await app.rows('select sha256 from inbox')).toEqual([{ sha256: 'new' }]);
});
