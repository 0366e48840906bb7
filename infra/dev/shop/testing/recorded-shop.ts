import { expect } from 'vitest';
import { installApp } from '../seed-app.ts';
import { address, charge, complete, report } from './buying.ts';
import type { Receiver } from './receiver.ts';
import type { ShopUnderTest } from './shop.ts';

/** Our shop in the state of the recorded one: the same customers, order and app, and each recorded id with ours. */
export interface LikeRecorded {
  readonly tokens: Readonly<Record<'buyer' | 'other' | 'app' | 'staff', string>>;
  readonly orderId: string;
  /** Recorded text with the recorded shop's ids replaced by ours. */
  translate<T>(value: T): T;
}

const register = `mutation($input: AccountRegisterInput!) { accountRegister(input: $input) { user { email } errors { field message code } } }`;

/** A confirmed customer's access token. */
export async function customer(under: ShopUnderTest, email: string): Promise<string> {
  await under.ask(
    'mutation { shopSettingsUpdate(input: { enableAccountConfirmationByEmail: false }) { errors { field message code } } }',
  );
  await under.ask(register, { input: { email, password: 'a long password' } });
  await under.ask(
    'mutation { shopSettingsUpdate(input: { enableAccountConfirmationByEmail: true }) { errors { field message code } } }',
  );
  return signIn(under, email);
}

export async function signIn(under: ShopUnderTest, email: string): Promise<string> {
  const { tokenCreate } = await under.ask<{ tokenCreate: { token: string } }>(
    'mutation($email: String!) { tokenCreate(email: $email, password: "a long password") { token errors { field message code } } }',
    { email },
  );
  return tokenCreate.token;
}

/** What the recorded buyer put into each checkout. */
export const recordedMetadata = {
  order: [
    { key: 'agentstore.workspaceId', value: 'ws_1' },
    { key: 'note', value: 'Ünïcode – ✓ "quoted"' },
  ],
  line: [{ key: 'agentstore.instanceName', value: 'desk é' }],
};

export async function likeRecorded(under: ShopUnderTest, receiver: Receiver): Promise<LikeRecorded> {
  const { pro, pack1000 } = under.seeded.variants;
  await under.ask(
    `mutation { channelCreate(input: { name: "PLN", slug: "channel-pln", currencyCode: "PLN", defaultCountry: PL, isActive: true }) { errors { field message code } } }`,
  );
  const buyer = await customer(under, 'buyer@example.com');
  const other = await customer(under, 'other@example.com');
  const app = await installedApp(under, receiver);
  const { checkoutCreate } = await under.ask<{ checkoutCreate: { checkout: { id: string } } }>(
    'mutation($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } errors { field message code } } }',
    {
      input: {
        channel: 'default-channel',
        billingAddress: address,
        metadata: recordedMetadata.order,
        lines: [
          { variantId: pro.id, quantity: 1, metadata: recordedMetadata.line },
          { variantId: pack1000.id, quantity: 2 },
        ],
      },
    },
    buyer,
  );
  const transaction = await charge(under, checkoutCreate.checkout.id, '49');
  const order = await complete(under, checkoutCreate.checkout.id, buyer);
  expect(order).toMatchObject({ status: 'UNFULFILLED', chargeStatus: 'FULL' });
  await report(under, { id: transaction, type: 'REFUND_SUCCESS', amount: '49', pspReference: 'refund-1' });
  const me = await under.ask<{ me: { id: string } }>('{ me { id } }', {}, buyer);
  const { productTypes, order: read } = await under.ask<{
    productTypes: { edges: { node: { id: string } }[] };
    order: { lines: { id: string }[] };
  }>('query($id: ID!) { productTypes(first: 1) { edges { node { id } } } order(id: $id) { lines { id } } }', {
    id: order.id,
  });
  const ids = new Map([
    ['UHJvZHVjdDoxNjU=', under.seeded.productId],
    ['UHJvZHVjdDoxNjY=', under.seeded.creditsProductId],
    ['UHJvZHVjdFZhcmlhbnQ6NDAy', pro.id],
    ['UHJvZHVjdFZhcmlhbnQ6NDAz', pack1000.id],
    ['T3JkZXI6ODU4Njk4ODItNzI0ZC00ODRjLWJjMTktMzU1MTM0ZGQ0NjBi', order.id],
    ['T3JkZXJMaW5lOjBlN2VhODhkLWYyODktNDEzMi1hMzM1LWIzNWMyNDdjOTg4OA==', read.lines[0]!.id],
    ['T3JkZXJMaW5lOmNjNDJlMDY2LTJmOTAtNGFlNy1iYTU1LTI2NjBiMzc2MGMyZA==', read.lines[1]!.id],
    ['VXNlcjo0NQ==', me.me.id],
    ['UHJvZHVjdFR5cGU6MjU=', productTypes.edges[0]!.node.id],
    ['QXBwOjE=', app.id],
  ]);
  return {
    tokens: { buyer, other, app: app.token, staff: await under.shop.staffToken() },
    orderId: order.id,
    translate: (value) => {
      let text = JSON.stringify(value).replace('"number":"21"', `"number":"${order.number}"`);
      for (const [recorded, ours] of ids) text = text.replaceAll(recorded, ours);
      return JSON.parse(text) as typeof value;
    },
  };
}

async function installedApp(
  under: ShopUnderTest,
  receiver: Receiver,
): Promise<{ id: string; token: string }> {
  receiver.manifest = {
    id: 'compare.app',
    version: '1.0.0',
    name: 'Compare App',
    permissions: ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'],
    tokenTargetUrl: `${receiver.origin}/api/register`,
    webhooks: [],
  };
  const id = await installApp(under.shop, `${receiver.origin}/api/manifest`);
  const [handed] = await receiver.wait('/api/register', 1);
  return { id, token: (JSON.parse(handed!.body.toString()) as { auth_token: string }).auth_token };
}
