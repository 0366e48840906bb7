import { signIn } from '../../infra/dev/identity/sign-in.ts';
import { graphClient, GraphError, type GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import { payFor } from '../../infra/dev/shop/pay-for.ts';
import type { Data } from '../setup/graph-data.ts';
import type { Fleet } from './fleet.ts';

/** What one main job was promised: the checks look for exactly this. */
export interface Promised {
  readonly orderId: string;
  readonly instanceId: string;
  readonly runId: string;
  readonly runState: string;
}

/** Codes of a refusal that time heals: the part that was killed is on its way back. */
const transient = new Set([
  'UNAVAILABLE',
  'SUBGRAPH_UNAVAILABLE',
  'SALEOR_UNAVAILABLE',
  'INTERNAL',
  'UNAUTHENTICATED',
  'INSTANCE_NOT_ACTIVE',
  'ERROR',
  'SHOP_ERROR',
]);
const patienceMs = 60_000;

/** The main job by a client that does what clients should: it repeats what it got no answer to, under the same key. */
export async function mainJob(fleet: Fleet, buyer: { email: string; password: string }): Promise<Promised> {
  const { issuer, clientId, audience } = fleet.doubles.identity;
  const { accessToken } = await persistently('sign in', () =>
    signIn({ issuer, clientId, audience, ...buyer }),
  );
  const graph = graphClient({ url: `${fleet.publicOrigin}/graphql`, token: accessToken, deadlineMs: 8_000 });
  try {
    await persistently('workspace', () =>
      graph.query<Data>('mutation { workspaceAuto(input: {}) { organization { id } } }'),
    );
    const orderId = await buy(fleet, graph, buyer.email);
    const instanceId = await until('granted and ACTIVE', async () => {
      const { order } = await graph.query<Data>(
        'query ($id: ID!) { order(id: $id) { instances { id state } topUps { amount } } }',
        { id: orderId },
      );
      return order?.topUps.length === 2 && order.instances[0]?.state === 'ACTIVE'
        ? String(order.instances[0].id)
        : undefined;
    });
    const input = {
      instanceId,
      input: 'scripted-slow?tokens=40&delay=20 Tell me about parcels.',
      idempotencyKey: `run of ${orderId}`,
    };
    const runId = await persistently('run', async () => {
      const { runStart } = await graph.query<Data>(
        'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code message } } }',
        { input },
      );
      if (runStart.errors.length)
        throw new GraphError(runStart.errors.map(({ code, message }) => ({ message, extensions: { code } })));
      return String(runStart.run.id);
    });
    const runState = await until('run ended', async () => {
      const { run } = await graph.query<Data>('query ($id: ID!) { run(id: $id) { state } }', { id: runId });
      return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(run?.state) ? String(run.state) : undefined;
    });
    return { orderId, instanceId, runId, runState };
  } finally {
    await graph.close();
  }
}

async function buy(fleet: Fleet, graph: GraphClient, email: string): Promise<string> {
  const { pro, pack1000 } = fleet.shop.variants;
  const input = {
    channel: fleet.shop.channel,
    email,
    lines: [pro, pack1000].map(({ id }) => ({ variantId: id, quantity: 1 })),
    billingAddress: {
      firstName: 'C',
      lastName: 'H',
      streetAddress1: '1 Main Street',
      city: 'Springfield',
      postalCode: '62701',
      country: 'US',
      countryArea: 'IL',
    },
  };
  const checkoutId = await persistently('checkout', async () => {
    const { checkoutCreate } = await graph.query<Data>(
      'mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } errors { code message } } }',
      { input },
    );
    return String(checkoutCreate.checkout.id);
  });
  await persistently('payment', () =>
    payFor(fleet.doubles.shop, { id: checkoutId, pspReference: `psp of ${checkoutId}` }).catch(
      (error: Error) => {
        // The answer to the first try was lost; the provider refuses the same payment twice.
        if (!/unique|already|pspReference/i.test(error.message)) throw error;
      },
    ),
  );
  return persistently('complete', async () => {
    const { checkoutComplete } = await graph.query<Data>(
      'mutation ($id: ID!) { checkoutComplete(id: $id) { order { id } errors { code message } } }',
      { id: checkoutId },
    );
    if (!checkoutComplete.order) throw new Error(checkoutComplete.errors[0]?.message ?? 'no order');
    return String(checkoutComplete.order.id);
  });
}

/** Repeats a step until it answers; gives up on a refusal that time does not heal. */
async function persistently<T>(what: string, step: () => Promise<T>): Promise<T> {
  let last: unknown;
  for (
    const deadline = Date.now() + patienceMs;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 150))
  ) {
    try {
      return await step();
    } catch (error) {
      last = error;
      if (error instanceof GraphError && !error.codes.every((code) => transient.has(code))) throw error;
    }
  }
  throw new Error(`${what}: no answer within ${patienceMs / 1_000} s: ${(last as Error).message}`);
}

const until = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
  persistently(what, async () => {
    const found = await ask();
    if (found === undefined) throw new Error('not yet');
    return found;
  });
