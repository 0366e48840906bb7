import { beforeAll, expect, it } from 'vitest';
import { createRemoteJWKSet, flattenedVerify } from 'jose';
import { installApp } from './seed-app.ts';
import { buy, charge, report, type Bought } from './testing/buying.ts';
import { describeRecorded, recordedJson, recordedText } from './testing/recorded.ts';
import { customer, recordedMetadata } from './testing/recorded-shop.ts';
import { useReceiver, type Received } from './testing/receiver.ts';
import { useShop } from './testing/shop.ts';

/** A body with what belongs to one order or moment taken out; bytes, spacing and escapes stay. */
const still = (body: string): string =>
  body
    .replace(/("(?:id|productVariantId)": )"[^"]+"/g, '$1"*"')
    .replace(/("number": )"\d+"/g, '$1"*"')
    .replace(/("issuedAt": )"[^"]+"/g, '$1"*"')
    .replace(/("locations": )\[[^\]]*\]/g, '$1[*]');

/** Header names in order, and the values that do not hang on key, order or port. */
function comparable(headers: readonly [string, string][]): [string, string][] {
  const volatile = /signature|traceparent|content-length/i;
  return headers.map(([name, value]) => [
    name,
    volatile.test(name) ? '*' : value.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:*'),
  ]);
}
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as [string, string]] : []));

describeRecorded('webhook requests are as recorded', () => {
  const receiver = useReceiver();
  const under = useShop();
  let buyer: string;
  let extra = 0;
  const seen = new Map<string, number>();

  /** The next request to a path. */
  async function next(path: string): Promise<Received> {
    const count = (seen.get(path) ?? 0) + 1;
    const all = await receiver.wait(path, count);
    seen.set(path, count);
    return all[count - 1]!;
  }

  beforeAll(async () => {
    buyer = await customer(under, 'buyer@example.com');
    receiver.manifest = JSON.parse(
      recordedText('manifest.json').replaceAll('http://127.0.0.1:9999', receiver.origin),
    ) as object;
    await installApp(under.shop, `${receiver.origin}/api/manifest`);
  });

  const planLine = () => ({
    variantId: under.seeded.variants.pro.id,
    quantity: 1,
    metadata: recordedMetadata.line,
  });
  const packLine = (quantity: number) => ({ variantId: under.seeded.variants.pack1000.id, quantity });
  const asBuyer = () => ({ token: buyer, metadata: recordedMetadata.order });

  async function shortLived(price: string): Promise<string> {
    extra += 1;
    const { productVariantCreate } = await under.ask<{
      productVariantCreate: { productVariant: { id: string } };
    }>(
      'mutation($input: ProductVariantCreateInput!) { productVariantCreate(input: $input) { productVariant { id } errors { message } } }',
      {
        input: {
          product: under.seeded.productId,
          sku: `SHORT-${extra}`,
          attributes: [],
          trackInventory: false,
          stocks: [{ warehouse: await warehouse(), quantity: 9 }],
        },
      },
    );
    const { id } = productVariantCreate.productVariant;
    await under.ask(
      'mutation($id: ID!, $input: [ProductVariantChannelListingAddInput!]!) { productVariantChannelListingUpdate(id: $id, input: $input) { errors { message } } }',
      { id, input: [{ channelId: under.seeded.channelId, price }] },
    );
    return id;
  }
  const warehouse = async () =>
    (
      await under.ask<{ warehouses: { edges: { node: { id: string } }[] } }>(
        '{ warehouses(first: 1) { edges { node { id } } } }',
      )
    ).warehouses.edges[0]!.node.id;
  const markAsPaid = (id: string) =>
    under.ask('mutation($id: ID!) { orderMarkAsPaid(id: $id) { errors { message } } }', { id });

  /** The next request to a path, with what belongs to one order or moment taken out. */
  async function request(path: string): Promise<object> {
    const one = await next(path);
    return {
      body: still(one.body.toString()),
      headers: comparable(pairs(one.rawHeaders)),
      signature: await signature(one),
    };
  }

  /** A recorded request in the same form. */
  function recorded(name: string): object {
    const { headers } = recordedJson<{ headers: [string, string][] }>(`${name}.headers.json`);
    const body = recordedText(`${name}.body.json`).replaceAll(/SHORT-\d+/g, `SHORT-${extra}`);
    return { body: still(body), headers: comparable(headers), signature: 'of the raw bytes alone' };
  }

  async function signature(one: Received): Promise<string> {
    const jwks = createRemoteJWKSet(new URL('/.well-known/jwks.json', under.shop.origin));
    const [header, payload, value] = String(one.headers['saleor-signature']).split('.');
    const jws = { protected: header!, signature: value! };
    const { protectedHeader } = await flattenedVerify({ ...jws, payload: one.body }, jwks);
    const again = JSON.stringify(JSON.parse(one.body.toString()));
    const reserialised = await flattenedVerify({ ...jws, payload: again }, jwks).catch(() => undefined);
    return payload === '' && protectedHeader?.b64 === false && !reserialised
      ? 'of the raw bytes alone'
      : 'wrong';
  }

  let main: Bought;
  it('order_fully_paid: a checkout with two lines, charged by a transaction', async () => {
    main = await buy(under, { ...asBuyer(), lines: [planLine(), packLine(2)], pay: '49' });
    expect(await request('/webhooks/order-fully-paid')).toEqual(recorded('order_fully_paid'));
  });

  it('order_refunded: a part of it, charged is then net and the order PARTIAL', async () => {
    await report(under, { id: main.transaction!, type: 'REFUND_SUCCESS', amount: '10', pspReference: 'r1' });
    expect(await request('/webhooks/order-refunded')).toEqual(recorded('order_refunded'));
  });

  it('order_fully_paid.again_after_refund: charged again, it is told again', async () => {
    await charge(under, main.id, '10');
    expect(await request('/webhooks/order-fully-paid')).toEqual(
      recorded('order_fully_paid.again_after_refund'),
    );
  });

  it('order_fully_refunded: when refunds reach the total', async () => {
    const { order } = await under.ask<{ order: { transactions: { id: string }[] } }>(
      'query($id: ID!) { order(id: $id) { transactions { id } } }',
      { id: main.id },
    );
    await report(under, {
      id: order.transactions[1]!.id,
      type: 'REFUND_SUCCESS',
      amount: '10',
      pspReference: 'r2',
    });
    await next('/webhooks/order-refunded');
    await report(under, {
      id: order.transactions[0]!.id,
      type: 'REFUND_SUCCESS',
      amount: '39',
      pspReference: 'r3',
    });
    expect(await request('/webhooks/order-fully-refunded')).toEqual(recorded('order_fully_refunded'));
    await next('/webhooks/order-refunded');
  });

  it('order_fully_paid.unconfirmed: an unpaid order marked as paid stays UNCONFIRMED; a 500 brings the same bytes again', async () => {
    const statuses = [500, 200];
    receiver.answer = () => statuses.shift() ?? 200;
    const { id, status } = await buy(under, { ...asBuyer(), lines: [planLine()] });
    expect(status).toBe('UNCONFIRMED');
    await markAsPaid(id);
    expect(await request('/webhooks/order-fully-paid')).toEqual(
      recorded('order_fully_paid.unconfirmed.attempt1-500'),
    );
    expect(await request('/webhooks/order-fully-paid')).toEqual(
      recorded('order_fully_paid.unconfirmed.attempt2-500'),
    );
    const [first, second] = receiver.received.slice(-2);
    expect(second!.body.equals(first!.body)).toBe(true);
    expect(second!.headers['saleor-signature']).toBe(first!.headers['saleor-signature']);
    expect(second!.headers['traceparent']).not.toBe(first!.headers['traceparent']);
  });

  it('order_fully_paid.guest: an unknown e-mail has no user', async () => {
    await buy(under, {
      email: 'guest@example.com',
      metadata: recordedMetadata.order,
      lines: [planLine()],
      pay: '29',
    });
    expect(await request('/webhooks/order-fully-paid')).toEqual(recorded('order_fully_paid.guest'));
  });

  it("a guest with a customer's e-mail is that customer, without signing in", async () => {
    await buy(under, { email: 'buyer@example.com', lines: [planLine()], pay: '29' });
    const body = JSON.parse((await next('/webhooks/order-fully-paid')).body.toString()) as {
      order: { user: { email: string } };
    };
    expect(body.order.user.email).toBe('buyer@example.com');
  });

  it('order_fully_paid.overcharged', async () => {
    const { id } = await buy(under, { ...asBuyer(), lines: [planLine()], pay: '29' });
    await next('/webhooks/order-fully-paid');
    await charge(under, id, '5');
    expect(await request('/webhooks/order-fully-paid')).toEqual(recorded('order_fully_paid.overcharged'));
  });

  it('order_cancelled: a paid order, nothing refunded', async () => {
    const { id } = await buy(under, { ...asBuyer(), lines: [planLine(), packLine(1)], pay: '39' });
    await next('/webhooks/order-fully-paid');
    await under.ask('mutation($id: ID!) { orderCancel(id: $id) { errors { message } } }', { id });
    expect(await request('/webhooks/order-cancelled')).toEqual(recorded('order_cancelled'));
  });

  it('order_fully_paid.zero_total: a free order is paid at once', async () => {
    const variantId = await shortLived('0');
    await buy(under, { ...asBuyer(), lines: [{ variantId, quantity: 1, metadata: recordedMetadata.line }] });
    expect(await request('/webhooks/order-fully-paid')).toEqual(recorded('order_fully_paid.zero_total'));
  });

  it('order_fully_paid.variant_deleted: the line keeps id and sku as text', async () => {
    const variantId = await shortLived('7');
    const { id } = await buy(under, {
      ...asBuyer(),
      lines: [{ variantId, quantity: 1, metadata: recordedMetadata.line }],
    });
    await under.ask('mutation($id: ID!) { productVariantDelete(id: $id) { errors { message } } }', {
      id: variantId,
    });
    await markAsPaid(id);
    expect(await request('/webhooks/order-fully-paid')).toEqual(recorded('order_fully_paid.variant_deleted'));
  });

  it('order_fully_paid.missing_permission and .filterable_root: a second app without MANAGE_PRODUCTS', async () => {
    const order =
      'order { id number user{id email} lines{ id productSku productVariantId variant{ id privateMetadata{key value} } } }';
    receiver.manifest = {
      id: 'extra.app',
      version: '1.0.0',
      name: 'Extra',
      permissions: ['MANAGE_ORDERS'],
      tokenTargetUrl: `${receiver.origin}/api/register`,
      webhooks: [
        {
          name: 'plain',
          targetUrl: `${receiver.origin}/extra/plain`,
          query: `subscription { event { __typename issuedAt version recipient{id} ... on OrderFullyPaid { ${order} } } }`,
        },
        {
          name: 'root',
          targetUrl: `${receiver.origin.replace('127.0.0.1', 'localhost')}/extra/filterable`,
          customHeaders: { 'X-Env': 'test', Authorization: 'Bearer abc' },
          query:
            'subscription { orderFullyPaid(channels:["default-channel"]) { __typename issuedAt version recipient{id} order { id number userEmail lines{ id productSku } } } }',
        },
      ],
    };
    await installApp(under.shop, `${receiver.origin}/extra/manifest`, ['MANAGE_ORDERS']);
    await buy(under, {
      ...asBuyer(),
      lines: [{ variantId: under.seeded.variants.pro.id, quantity: 1 }],
      pay: '29',
    });
    expect(await request('/extra/plain')).toEqual(recorded('order_fully_paid.missing_permission'));
    expect(await request('/extra/filterable')).toEqual(recorded('order_fully_paid.filterable_root'));
  });

  it('install: GET of the manifest and POST of the token', () => {
    const manifest = receiver.received.find((one) => one.path === '/api/manifest')!;
    const token = receiver.received.find((one) => one.path === '/api/register')!;
    for (const [one, name] of [
      [manifest, 'install.manifest_get'],
      [token, 'install.token_post'],
    ] as const) {
      const install = recordedJson<{ method: string; headers: [string, string][] }>(`${name}.headers.json`);
      expect(one.method).toBe(install.method);
      expect(comparable(pairs(one.rawHeaders))).toEqual(comparable(install.headers));
    }
    expect(token.body.toString().replace(/[A-Za-z0-9]{30}/, '0'.repeat(30))).toBe(
      recordedText('install.token_post.body.json'),
    );
  });

  it("the key set has the recorded members, and its kid is the key's thumbprint", async () => {
    const served = (await (await fetch(new URL('/.well-known/jwks.json', under.shop.origin))).json()) as {
      keys: object[];
    };
    const { keys } = recordedJson<{ keys: object[] }>('jwks.json');
    expect(Object.keys(served.keys[0]!)).toEqual(Object.keys(keys[0]!));
  });
});
