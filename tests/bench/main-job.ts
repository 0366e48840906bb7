import { fromGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { openDatabase } from '@agentstore/kernel/db/database';
import { silentLog } from '@agentstore/kernel/log';
import { authorizeRun, settleRun } from '@agentstore/billing/reservations/reservations.store';
import { graphClient, type GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import { payFor } from '../../infra/dev/shop/pay-for.ts';
import { assertInvariants } from '../invariants/assert-invariants.ts';
import { bareRuntime, type BareRuntime } from './bare-runtime.ts';
import { openBenchStore, type BenchStore } from './open-store.ts';
import { percentile, round } from './percentiles.ts';
import type { BenchResult, Say } from './report.ts';

type Answer = any;

const tokens = 40;
const delayMs = 10;
const slow = `scripted-slow?tokens=${tokens}&delay=${delayMs} please`;

/** The main job, measured against the bare flow runtime in the same run. */
export async function benchMainJob(options: { quick: boolean; say: Say }): Promise<BenchResult> {
  const { quick, say } = options;
  const store = await openBenchStore();
  try {
    const buyer = await store.signUp();
    const graph = graphClient({ url: store.graphqlUrl, token: buyer.token });
    const { workspaceAuto } = await graph.query<Answer>(
      'mutation { workspaceAuto(input: {}) { organization { id } } }',
    );
    const organizationId: string = workspaceAuto.organization.id;

    say('order paid → ACTIVE');
    const paidToActive: number[] = [];
    let instanceId = '';
    for (let n = 0; n < (quick ? 6 : 30); n++) {
      const bought = await buyUntilActive(store, graph, { email: buyer.email, organizationId });
      paidToActive.push(bought.ms);
      instanceId = bought.instanceId;
    }

    say('first event, and each event after it, against the bare runtime');
    const bare = await bareRuntime(store.stack);
    await bare.run(slow);
    await streamRun(graph, instanceId, slow);
    const pairs = quick ? 5 : 25;
    const [bareFirst, storeFirst, added]: [number[], number[], number[]] = [[], [], []];
    for (let n = 0; n < pairs; n++) {
      const alone = await tokenTimes(bare, slow);
      const through = await streamRun(graph, instanceId, slow);
      bareFirst.push(alone[0]!);
      storeFirst.push(through.texts[0]!.atMs);
      added.push(...addedPerEvent(alone, through.texts));
    }

    say('runs per second, 16 at a time');
    const count = quick ? 64 : 320;
    const short = 'Hi.';
    const bareRate = count / (await atATime(16, count, () => bare.run(short)));
    let events = 0;
    const storeSeconds = await atATime(16, count, async () => {
      const run = await streamRun(graph, instanceId, short);
      events += run.events;
    });

    say('reserve and settle');
    const pairsHot = await reserveSettle(store, { organizationId, instanceId, count: quick ? 300 : 2_000 });
    await graph.close();
    await assertInvariants(store.stack.doubles.adminUrl);

    const firstAdded = percentile(storeFirst, 0.95) - percentile(bareFirst, 0.95);
    return {
      bench: 'main-job',
      ratios: { runs_per_s_vs_runtime: round(count / storeSeconds / bareRate) },
      figures: {
        paid_to_active_p50_ms: round(percentile(paidToActive, 0.5)),
        paid_to_active_p95_ms: round(percentile(paidToActive, 0.95)),
        runtime_first_event_p95_ms: round(percentile(bareFirst, 0.95)),
        first_event_p95_ms: round(percentile(storeFirst, 0.95)),
        added_first_event_p95_ms: round(firstAdded),
        added_per_event_p50_ms: round(percentile(added, 0.5)),
        added_per_event_p95_ms: round(percentile(added, 0.95)),
        runs_per_s: round(count / storeSeconds),
        runtime_runs_per_s: round(bareRate),
        events_per_s: round(events / storeSeconds),
        reserve_settle_pairs_per_s_one_wallet: round(pairsHot),
        rss_mb: Math.round(process.memoryUsage().rss / 1_048_576),
      },
      curves: [
        { name: 'order paid → ACTIVE', unit: 'ms', samples: paidToActive },
        { name: 'added latency per event', unit: 'ms', samples: added },
      ],
    };
  } finally {
    await store.close();
  }
}

async function buyUntilActive(
  store: BenchStore,
  graph: GraphClient,
  buyer: { email: string; organizationId: string },
): Promise<{ ms: number; instanceId: string }> {
  const { shop, doubles } = store.stack;
  const input = {
    channel: shop.channel,
    email: buyer.email,
    lines: [shop.variants.pro, shop.variants.pack1000].map(({ id }) => ({ variantId: id, quantity: 1 })),
    billingAddress: {
      firstName: 'B',
      lastName: 'N',
      streetAddress1: '1 Main Street',
      city: 'Springfield',
      postalCode: '62701',
      country: 'US',
      countryArea: 'IL',
    },
  };
  const { checkoutCreate } = await graph.query<Answer>(
    'mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } } }',
    { input },
  );
  const { id } = checkoutCreate.checkout;
  await graph.query(
    'mutation ($id: ID!, $input: [MetadataInput!]!) { updateMetadata(id: $id, input: $input) { errors { code } } }',
    { id, input: [{ key: 'agentstore.organizationId', value: buyer.organizationId }] },
  );
  await payFor(doubles.shop, { id, pspReference: crypto.randomUUID() });
  const began = performance.now(); // the order becomes paid when the checkout completes
  const { checkoutComplete } = await graph.query<Answer>(
    'mutation ($id: ID!) { checkoutComplete(id: $id) { order { id } } }',
    { id },
  );
  let instanceId: string | undefined;
  while (!instanceId) {
    const { order } = await graph.query<Answer>('query ($id: ID!) { order(id: $id) { instances { id } } }', {
      id: checkoutComplete.order.id,
    });
    instanceId = order?.instances[0]?.id as string | undefined;
    if (!instanceId) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for await (const { instanceChanged } of graph.subscribe<Answer>(
    'subscription ($id: ID!) { instanceChanged(instanceId: $id) { state } }',
    { id: instanceId },
  ))
    if (instanceChanged.state === 'ACTIVE') break;
  return { ms: performance.now() - began, instanceId };
}

/** Text as it arrives at the graphql-ws client: when, since runStart was sent, and how many tokens of the flow were there by then. */
interface Text {
  readonly atMs: number;
  readonly tokensBy: number;
}

async function streamRun(
  graph: GraphClient,
  instanceId: string,
  prompt: string,
): Promise<{ texts: Text[]; events: number }> {
  const began = performance.now();
  const { runStart } = await graph.query<Answer>(
    'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code message } } }',
    { input: { instanceId, input: prompt, idempotencyKey: crypto.randomUUID() } },
  );
  if (runStart.errors.length) throw new Error(`runStart was refused: ${runStart.errors[0].code}`);
  const texts: Text[] = [];
  let [events, words] = [0, 0];
  for await (const { runEvents: event } of graph.subscribe<Answer>(
    'subscription ($id: ID!) { runEvents(runId: $id) { __typename ... on TextMessageContent { delta } ... on RunFailed { error { code } } } }',
    { id: runStart.run.id },
  )) {
    events += 1;
    if (event.__typename === 'RunFailed') throw new Error(`a run failed: ${event.error.code}`);
    if (event.__typename === 'TextMessageContent') {
      words += event.delta.trim().split(/\s+/).length;
      texts.push({ atMs: performance.now() - began, tokensBy: words });
    }
  }
  return { texts, events };
}

async function tokenTimes(bare: BareRuntime, prompt: string): Promise<number[]> {
  const times: number[] = [];
  await bare.run(prompt, (since) => times.push(since));
  return times;
}

/**
 * How much later than the bare runtime's own rhythm each event came: the time since the first text, minus the time the bare runtime took from its
 * first token to the newest token in that event. The store joins tokens of one flush into one event, so this holds the flush too.
 */
function addedPerEvent(alone: readonly number[], through: readonly Text[]): number[] {
  const first = through[0]!;
  return through.slice(1).map(({ atMs, tokensBy }) => {
    const token = Math.min(alone.length, tokensBy) - 1;
    return atMs - first.atMs - (alone[token]! - alone[Math.min(alone.length, first.tokensBy) - 1]!);
  });
}

/** Seconds that `count` pieces of work take, `width` at a time. */
async function atATime(width: number, count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (left-- > 0) await work();
    }),
  );
  return (performance.now() - began) / 1_000;
}

async function reserveSettle(
  store: BenchStore,
  run: { organizationId: string; instanceId: string; count: number },
): Promise<number> {
  const db = openDatabase({
    url: store.stack.doubles.databaseUrl,
    schema: 'billing',
    max: 8,
    log: silentLog,
  });
  const [organizationId, instanceId] = [
    fromGlobalId('Organization', run.organizationId)!,
    fromGlobalId('Instance', run.instanceId)!,
  ];
  const offeringId = store.stack.catalogue.offeringId;
  try {
    const seconds = await atATime(8, run.count, async () => {
      const runId = uuidv7();
      await authorizeRun(db, {
        organizationId,
        instanceId,
        offeringId,
        runId,
        amount: 1_000n,
        ttlSeconds: 60,
        bodyHash: 'bench',
      });
      await settleRun(db, { organizationId, runId, usage: [], actor: 'bench' });
    });
    return run.count / seconds;
  } finally {
    await db.close();
  }
}
