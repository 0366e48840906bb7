import { expect, it } from 'vitest';
import { installApp } from './seed-app.ts';
import { buy } from './testing/buying.ts';
import { useReceiver } from './testing/receiver.ts';
import { useShop } from './testing/shop.ts';

const receiver = useReceiver();
const under = useShop();

it('loses the delivery that it is told to lose: signed, never sent, PENDING for good; the next one comes', async () => {
  receiver.manifest = {
    id: 'app',
    version: '1',
    name: 'app',
    tokenTargetUrl: `${receiver.origin}/register`,
    permissions: ['MANAGE_ORDERS'],
    webhooks: [
      {
        name: 'paid',
        targetUrl: `${receiver.origin}/paid`,
        query: 'subscription { event { ... on OrderFullyPaid { order { id } } } }',
      },
    ],
  };
  const id = await installApp(under.shop, `${receiver.origin}/manifest`);
  const waiting = under.shop.loseNextDelivery('ORDER_FULLY_PAID');
  const first = await buy(under, { pay: '29' });
  const lost = await waiting;
  expect(lost.url).toBe(`${receiver.origin}/paid`);
  expect(JSON.parse(lost.body.toString())).toEqual({ order: { id: first.id } });
  expect(new Map(lost.headers).get('Saleor-Signature')).toMatch(/^[\w-]+\.\.[\w-]+$/);
  await under.restart();
  const second = await buy(under, { pay: '29' });
  const came = await receiver.wait('/paid', 1);
  expect(came.map(({ body }) => JSON.parse(body.toString()) as unknown)).toEqual([
    { order: { id: second.id } },
  ]);
  const { app } = await under.ask<{
    app: { webhooks: { eventDeliveries: { edges: { node: { status: string } }[] } }[] };
  }>(
    'query($id: ID!) { app(id: $id) { webhooks { eventDeliveries(first: 10) { edges { node { status } } } } } }',
    { id },
  );
  expect(app.webhooks[0]!.eventDeliveries.edges.map(({ node }) => node.status)).toContain('PENDING');
});
