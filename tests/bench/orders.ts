import * as operations from '../../infra/dev/main-job/operations.ts';
import { payFor } from '../../infra/dev/shop/pay-for.ts';
import type { BenchStore, Buyer } from './open-store.ts';

/** What came of one order. */
export interface Bought {
  readonly instanceId: string;
  readonly paidToActiveMs: number;
}

const pollMs = 15;
const patienceMs = 60_000;

/**
 * Buys the Pro plan and a 1,000-credit pack. The clock starts when the payment is sent and stops when `instanceChanged` says ACTIVE over
 * graphql-ws; in between are the payment, checkoutComplete, the signed webhook, the grant, the commit, its application and the observation.
 * The buyer learns of the instance by asking for the order every 15 ms, which is part of the time.
 */
export async function buyPlan(store: BenchStore, buyer: Buyer): Promise<Bought> {
  const { graph } = buyer;
  const { pro, pack1000 } = store.stack.shop.variants;
  const { checkoutCreate } = await graph.query<{ checkoutCreate: { checkout: { id: string } } }>(
    operations.checkoutCreate,
    {
      input: {
        channel: store.stack.shop.channel,
        email: buyer.email,
        lines: [pro.id, pack1000.id].map((variantId) => ({ variantId, quantity: 1 })),
        billingAddress: {
          firstName: 'Bench',
          lastName: 'Buyer',
          streetAddress1: '1 Main Street',
          city: 'Springfield',
          postalCode: '62701',
          country: 'US',
          countryArea: 'IL',
        },
      },
    },
  );
  const { id } = checkoutCreate.checkout;
  await graph.query(operations.checkoutMetadata, {
    id,
    input: [{ key: 'agentstore.organizationId', value: buyer.organizationId }],
  });
  const paidAt = performance.now();
  await payFor(store.stack.doubles.shop, { id, pspReference: crypto.randomUUID() });
  const { checkoutComplete } = await graph.query<{ checkoutComplete: { order: { id: string } } }>(
    operations.checkoutComplete,
    { id },
  );
  const instanceId = await instanceOf(buyer, checkoutComplete.order.id);
  await becomesActive(buyer, instanceId);
  return { instanceId, paidToActiveMs: performance.now() - paidAt };
}

async function instanceOf({ graph }: Buyer, orderId: string): Promise<string> {
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    const { order } = await graph.query<{ order: { instances: { id: string }[] } | null }>(
      'query ($id: ID!) { order(id: $id) { instances { id } } }',
      { id: orderId },
    );
    if (order?.instances[0]) return order.instances[0].id;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error('a paid order was not granted');
}

async function becomesActive({ graph }: Buyer, instanceId: string): Promise<void> {
  for await (const { instanceChanged } of graph.subscribe<{ instanceChanged: { state: string } }>(
    'subscription ($id: ID!) { instanceChanged(instanceId: $id) { state } }',
    { id: instanceId },
  ))
    if (instanceChanged.state === 'ACTIVE') return;
  throw new Error('an instance did not become ACTIVE');
}
