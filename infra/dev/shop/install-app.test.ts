import { expect, it } from 'vitest';
import { installApp } from './seed-app.ts';
import { seedShop } from './seed.ts';
import { useReceiver, type Received } from './testing/receiver.ts';
import { useShop } from './testing/shop.ts';

const receiver = useReceiver();
const under = useShop();

const manifest = (id: string, more: object = {}) => ({
  id,
  version: '1',
  name: id,
  tokenTargetUrl: `${receiver.origin}/register`,
  permissions: ['MANAGE_ORDERS'],
  webhooks: [
    {
      name: 'paid',
      targetUrl: `${receiver.origin}/paid`,
      query: 'subscription { event { ... on OrderFullyPaid { order { id } } } }',
    },
  ],
  ...more,
});
const apps = async () =>
  (
    await under.ask<{ apps: { edges: { node: { name: string } }[] } }>(
      '{ apps(first: 100) { edges { node { name } } } }',
    )
  ).apps.edges.map(({ node }) => node.name);
const tokenOf = (request: Received) =>
  (JSON.parse(request.body.toString()) as { auth_token: string }).auth_token;

it('hands over a token that works while the app is still being installed', async () => {
  receiver.manifest = manifest('early.app');
  let seen: unknown;
  receiver.answer = async (one) => {
    if (one.path === '/register') seen = await under.ask('{ app { id name } }', {}, tokenOf(one));
    return 200;
  };
  const id = await installApp(under.shop, `${receiver.origin}/early`);
  receiver.answer = () => 200;
  expect(seen).toEqual({ app: { id, name: 'Agent Store' } });
});

it('takes the app back when the token is refused, with the message of the app', async () => {
  const before = await apps();
  receiver.manifest = manifest('refusing.app');
  receiver.answer = (one) => (one.path === '/register' ? 403 : 200);
  await expect(installApp(under.shop, `${receiver.origin}/refusing`)).rejects.toThrow(
    'App internal error (403).',
  );
  receiver.answer = () => 200;
  expect(await apps()).toEqual(before);
});

it('refuses a manifest that is already installed, or whose query or permissions do not hold', async () => {
  receiver.manifest = manifest('early.app');
  await expect(installApp(under.shop, `${receiver.origin}/twin`)).rejects.toThrow('already installed');
  receiver.manifest = manifest('odd.app', { permissions: ['MANAGE_MOON'] });
  await expect(installApp(under.shop, `${receiver.origin}/odd`)).rejects.toThrow(
    "Given permissions don't exist: MANAGE_MOON.",
  );
  receiver.manifest = manifest('query.app', {
    webhooks: [{ name: 'x', targetUrl: `${receiver.origin}/x`, query: '{ shop { name } }' }],
  });
  await expect(installApp(under.shop, `${receiver.origin}/query`)).rejects.toThrow(
    'Missing subscription field.',
  );
});

it('takes events from the query when the manifest names none', async () => {
  receiver.manifest = manifest('derived.app');
  const id = await installApp(under.shop, `${receiver.origin}/derived`);
  const { app } = await under.ask<{ app: { webhooks: { asyncEvents: { eventType: string }[] }[] } }>(
    'query($id: ID!) { app(id: $id) { webhooks { asyncEvents { eventType } } } }',
    { id },
  );
  expect(app.webhooks[0]!.asyncEvents).toEqual([{ eventType: 'ORDER_FULLY_PAID' }]);
});

it('seeds twice to the same ids, app included', async () => {
  receiver.manifest = manifest('seed.app');
  const once = await seedShop(under.shop, { appManifestUrl: `${receiver.origin}/seed` });
  expect(await seedShop(under.shop, { appManifestUrl: `${receiver.origin}/seed` })).toEqual(once);
  await under.ask(
    'mutation($id: ID!) { channelUpdate(id: $id, input: { orderSettings: { allowUnpaidOrders: false } }) { errors { message } } }',
    { id: once.channelId },
  );
  expect(await seedShop(under.shop)).toEqual({ ...once, appId: null });
  const { channel } = await under.ask<{ channel: object }>(
    '{ channel(slug: "default-channel") { orderSettings { allowUnpaidOrders } } }',
  );
  expect(channel).toEqual({ orderSettings: { allowUnpaidOrders: true } });
  const { productVariant } = await under.ask<{ productVariant: object }>(
    '{ productVariant(sku: "CREDITS-5000", channel: "default-channel") { pricing { price { gross { fractionalAmount currency } } } privateMetafield(key: "agentstore.kind") product { slug productType { slug } } } }',
  );
  expect(productVariant).toEqual({
    pricing: { price: { gross: { fractionalAmount: 4500, currency: 'USD' } } },
    privateMetafield: 'credits',
    product: { slug: 'agent-credits', productType: { slug: 'agent-plan' } },
  });
});
