import { signIn } from '../../infra/dev/identity/sign-in.ts';
import { graphClient } from '../../infra/dev/main-job/graph-client.ts';
import { payFor } from '../../infra/dev/shop/pay-for.ts';
import type { Data } from '../setup/graph-data.ts';
import { persistently, until } from '../setup/persistently.ts';
import type { Buyer, ChaosStore } from './chaos-store.ts';
import { accept, followRun, type FollowedRun } from './follow-run.ts';
import { knowledgePart, type PromisedKnowledge, type Removal } from './knowledge-part.ts';
import type { Job, Milestone } from './milestones.ts';
import { toolPart, type PromisedTools } from './tool-part.ts';

/** What one main job was promised: the checks look for exactly this. */
export interface Promised {
  readonly email: string;
  readonly organizationId: string;
  readonly orderId: string;
  readonly instanceId: string;
  readonly instanceState: 'ACTIVE' | 'TERMINATED';
  readonly run: FollowedRun;
  readonly tools: PromisedTools;
  readonly knowledge: PromisedKnowledge;
}

/**
 * The main job, and beside it one with tools and one with knowledge, by a client that does what clients should: it repeats what it got no answer to, under the same key, and goes
 * on reading where a stream broke off. After the run it pauses, resumes and, if it is to, terminates its instance.
 */
export async function mainJob(
  store: ChaosStore,
  buyer: Buyer,
  options: {
    name: string;
    terminate: boolean;
    removeKnowledge: Removal;
    reached: (milestone: Milestone) => void;
  },
): Promise<Promised> {
  const { accessToken } = await persistently('sign in', () => signIn({ ...store.identity, ...buyer }));
  const graph = graphClient({ url: `${store.publicOrigin}/graphql`, token: accessToken, deadlineMs: 8_000 });
  const job: Job = { store, graph, buyer, reached: options.reached };
  try {
    const { organizationId, projectId } = await persistently('workspace', async () => {
      const { workspaceAuto } = await graph.query<Data>(
        'mutation { workspaceAuto(input: {}) { organization { id } project { id } errors { code message } } }',
      );
      return { organizationId: workspaceAuto.organization.id, projectId: workspaceAuto.project.id };
    });
    const [bought, tools, knowledge] = await Promise.all([
      boughtPart(job, options.terminate),
      toolPart(job, { name: options.name, projectId, organizationId }),
      knowledgePart(job, { name: options.name, projectId, remove: options.removeKnowledge }),
    ]);
    return { email: buyer.email, organizationId, ...bought, tools, knowledge };
  } finally {
    await graph.close();
  }
}

async function boughtPart(
  job: Job,
  terminate: boolean,
): Promise<Pick<Promised, 'orderId' | 'instanceId' | 'instanceState' | 'run'>> {
  const { graph, reached } = job;
  const orderId = await buy(job);
  reached('ordered');
  const instanceId = await followOrder(job, orderId);
  const run = await followRun(graph, {
    instanceId,
    input: 'scripted-slow?tokens=40&delay=20 Tell me about parcels.',
    key: `run of ${orderId}`,
    started: () => reached('started'),
    see: ({ __typename }) => __typename === 'TextMessageContent' && reached('streaming'),
  });
  reached('streaming');
  reached('ended');
  await change(job, { instanceId, command: 'Pause', state: 'PAUSED' });
  await change(job, { instanceId, command: 'Resume', state: 'ACTIVE' });
  if (terminate) await change(job, { instanceId, command: 'Terminate', state: 'TERMINATED' });
  return { orderId, instanceId, instanceState: terminate ? 'TERMINATED' : 'ACTIVE', run };
}

async function buy({ store, graph, buyer }: Job): Promise<string> {
  const { pro, pack1000 } = store.shop.variants;
  const input = {
    channel: store.shop.channel,
    email: buyer.email,
    lines: [pro, pack1000].map((variantId) => ({ variantId, quantity: 1 })),
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
    payFor(store.shop, { id: checkoutId, pspReference: `psp of ${checkoutId}` }).catch((error: Error) => {
      // The answer to the first try was lost; the provider refuses the same payment twice.
      if (!/unique|already|pspReference/i.test(error.message)) throw error;
    }),
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

/** Follows an order until its instance is ACTIVE and its credits are there. */
async function followOrder({ graph, reached }: Job, orderId: string): Promise<string> {
  const instanceId = await until('the order is granted', async () => {
    const { order } = await graph.query<Data>('query ($id: ID!) { order(id: $id) { instances { id } } }', {
      id: orderId,
    });
    return order?.instances[0]?.id;
  });
  reached('granted');
  await until('the instance is committed', async () => {
    const { instance } = await graph.query<Data>(
      'query ($id: ID!) { instance(id: $id) { timeline { commit } } }',
      { id: instanceId },
    );
    return instance.timeline.some(({ commit }) => commit) || undefined;
  });
  reached('committed');
  await until('granted and ACTIVE', async () => {
    const { order } = await graph.query<Data>(
      'query ($id: ID!) { order(id: $id) { instances { state } topUps { amount } } }',
      { id: orderId },
    );
    return (order?.topUps.length === 2 && order.instances[0]?.state === 'ACTIVE') || undefined;
  });
  return instanceId;
}

/** Asks for another phase, and waits until it is observed. */
async function change(
  { graph }: Job,
  wanted: { instanceId: string; command: 'Pause' | 'Resume' | 'Terminate'; state: string },
): Promise<void> {
  const { instanceId, command, state } = wanted;
  await persistently(command, async () => {
    const answer = await graph.query<Record<string, Data['instanceChange']>>(
      `mutation ($input: Instance${command}Input!) { answer: instance${command}(input: $input) { errors { code message } } }`,
      { input: { instanceId } },
    );
    accept(answer['answer']!.errors);
  });
  await until(`the instance is ${state}`, async () => {
    const { instance } = await graph.query<Data>(
      'query ($id: ID!) { instance(id: $id) { state desiredGeneration observedGeneration } }',
      { id: instanceId },
    );
    return (
      (instance.state === state && instance.observedGeneration === instance.desiredGeneration) || undefined
    );
  });
}
