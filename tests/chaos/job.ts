import { signIn } from '../../infra/dev/identity/sign-in.ts';
import { graphClient, GraphError, type GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import { payFor } from '../../infra/dev/shop/pay-for.ts';
import type { Data } from '../setup/graph-data.ts';
import { persistently, until } from '../setup/persistently.ts';
import type { Buyer, ChaosStore } from './chaos-store.ts';

/** What one main job was promised: the checks look for exactly this. */
export interface Promised {
  readonly email: string;
  readonly organizationId: string;
  readonly orderId: string;
  readonly instanceId: string;
  readonly instanceState: 'ACTIVE' | 'TERMINATED';
  readonly runId: string;
  readonly runState: string;
  /** The seqs its subscriber saw, in order. */
  readonly seqs: readonly number[];
}

/** Places in a main job at which something may be killed, in their order. */
export const milestones = ['ordered', 'granted', 'committed', 'started', 'streaming', 'ended'] as const;
export type Milestone = (typeof milestones)[number];

interface Job {
  readonly store: ChaosStore;
  readonly graph: GraphClient;
  readonly buyer: Buyer;
  /** Told the moment the job sees it. */
  readonly reached: (milestone: Milestone) => void;
}

/**
 * The main job by a client that does what clients should: it repeats what it got no answer to, under the same key, and goes on reading where a
 * stream broke off. After the run it pauses, resumes and, if it is to, terminates its instance.
 */
export async function mainJob(
  store: ChaosStore,
  buyer: Buyer,
  options: { terminate: boolean; reached: (milestone: Milestone) => void },
): Promise<Promised> {
  const { accessToken } = await persistently('sign in', () => signIn({ ...store.identity, ...buyer }));
  const graph = graphClient({ url: `${store.publicOrigin}/graphql`, token: accessToken, deadlineMs: 8_000 });
  const job: Job = { store, graph, buyer, reached: options.reached };
  try {
    const organizationId = await persistently('workspace', async () => {
      const { workspaceAuto } = await graph.query<Data>(
        'mutation { workspaceAuto(input: {}) { organization { id } errors { code message } } }',
      );
      return workspaceAuto.organization.id;
    });
    const orderId = await buy(job);
    job.reached('ordered');
    const instanceId = await followOrder(job, orderId);
    const { runId, runState, seqs } = await run(job, { instanceId, key: `run of ${orderId}` });
    job.reached('ended');
    await change(job, { instanceId, command: 'Pause', state: 'PAUSED' });
    await change(job, { instanceId, command: 'Resume', state: 'ACTIVE' });
    if (options.terminate) await change(job, { instanceId, command: 'Terminate', state: 'TERMINATED' });
    return {
      email: buyer.email,
      organizationId,
      orderId,
      instanceId,
      instanceState: options.terminate ? 'TERMINATED' : 'ACTIVE',
      runId,
      runState,
      seqs,
    };
  } finally {
    await graph.close();
  }
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

/** Starts a run, twice under one key, and reads its events once each, whatever breaks off. */
async function run(
  { graph, reached }: Job,
  { instanceId, key }: { instanceId: string; key: string },
): Promise<Pick<Promised, 'runId' | 'runState' | 'seqs'>> {
  const input = {
    instanceId,
    input: 'scripted-slow?tokens=40&delay=20 Tell me about parcels.',
    idempotencyKey: key,
  };
  const start = () =>
    persistently('run', async () => {
      const { runStart } = await graph.query<Data>(
        'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code message } } }',
        { input },
      );
      if (runStart.errors.length)
        throw new GraphError(runStart.errors.map(({ code, message }) => ({ message, extensions: { code } })));
      return String(runStart.run.id);
    });
  const [runId, again] = await Promise.all([start(), start()]);
  if (runId !== again) throw new Error(`one key started two runs: ${runId} and ${again}`);
  reached('started');
  const seqs: number[] = [];
  let isStreaming = false;
  await until('the events end', async () => {
    for await (const { runEvents } of graph.subscribe<Data>(
      'subscription ($id: ID!, $after: Int!) { runEvents(runId: $id, after: $after) { __typename seq } }',
      { id: runId, after: seqs.at(-1) ?? 0 },
    )) {
      seqs.push(runEvents.seq);
      if (!isStreaming && runEvents.__typename === 'TextMessageContent') {
        isStreaming = true;
        reached('streaming');
      }
      if (['RunFinished', 'RunFailed', 'RunCancelled'].includes(runEvents.__typename)) return true;
    }
    return undefined;
  });
  if (!isStreaming) reached('streaming');
  const runState = await until('the run ended', async () => {
    const { run: seen } = await graph.query<Data>('query ($id: ID!) { run(id: $id) { state } }', {
      id: runId,
    });
    return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(seen.state) ? seen.state : undefined;
  });
  return { runId, runState, seqs };
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
    const { errors } = answer['answer']!;
    if (errors.length)
      throw new GraphError(errors.map(({ code, message }) => ({ message, extensions: { code } })));
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
