import { formatCredits } from '@agentstore/kernel/credits';
import { accept, type Errors } from './accept.ts';
import { graphClient, type GraphClient } from './graph-client.ts';
import * as operations from './operations.ts';
import type { Progress } from '../progress.ts';
import { seconds } from '../progress.ts';

/** What the main job needs to know of the store: only what any outside client could know, plus the shop's payment provider. */
export interface MainJobStore {
  readonly graphqlUrl: string;
  readonly offeringSlug: string;
  readonly planCode: string;
  readonly creditPackVariantId: string;
  readonly channel: string;
  readonly buyer: { readonly email: string; readonly signIn: () => Promise<{ accessToken: string }> };
  /** The payment provider: charges a checkout in full, as a payment app does. */
  readonly pay: (checkoutId: string, amount: { amount: number; currency: string }) => Promise<void>;
  /** The deliveries about an order that the provisioner verified and noted, as its operators see them. */
  readonly deliveries: (orderId: string) => Promise<readonly Delivery[]>;
}

/** One verified webhook of the shop. */
export interface Delivery {
  readonly event: string;
  /** Of the raw body that was signed. */
  readonly sha256: string;
  readonly receivedAt: string;
}

export interface MainJobResult {
  readonly organizationId: string;
  readonly projectId: string;
  readonly instanceId: string;
  readonly orderId: string;
  readonly runId: string;
  readonly commit: string;
  readonly charge: bigint;
  readonly paidToActiveMs: number;
  readonly accessToken: string;
}

const activeWithinMs = 60_000;
/** The demo's plan lets a run take 300 s; this is its runner's grace on top. */
const runWithinMs = 330_000;

/**
 * Buys a plan and a credit pack, waits for the instance, runs it and reads what it cost: through the router only. Each step prints its
 * line. Throws with the code of the first refusal; nothing is cleaned up, since each run makes orders of its own.
 */
export async function mainJob(
  store: MainJobStore,
  progress: Progress,
  prompt: string,
): Promise<MainJobResult> {
  const { accessToken } = await progress.step('sign in', async (say) => {
    const tokens = await store.buyer.signIn();
    say(`${store.buyer.email}, OpenID Connect code flow with PKCE S256`);
    return tokens;
  });
  const graph = graphClient({ url: store.graphqlUrl, token: accessToken });
  try {
    const offering = await progress.step('browse', (say) => browse(graph, store, say));
    const { organization, project } = await progress.step('workspace', (say) => workspace(graph, say));
    const checkout = await progress.step('checkout', (say) =>
      fillCheckout(graph, store, { offering, organizationId: organization.id, say }),
    );
    const paidAt = performance.now();
    const order = await progress.step('order paid', async (say) => {
      await store.pay(checkout.id, checkout.totalPrice.gross);
      const { checkoutComplete: completed } = await graph.query<{
        checkoutComplete: { order: { id: string; number: string } | null; errors: Errors };
      }>(operations.checkoutComplete, { id: checkout.id });
      accept(completed.errors);
      say(
        `order #${completed.order!.number}, ${checkout.totalPrice.gross.amount.toFixed(2)} ${checkout.totalPrice.gross.currency}`,
      );
      return completed.order!;
    });
    const instanceId = await progress.step('granted', (say) => granted(graph, order.id, say));
    for (const { event, sha256 } of await store.deliveries(order.id))
      progress.line(
        `    webhook    ${event} of the shop, its signature verified by the provisioner, body sha256 ${sha256.slice(0, 16)}…`,
      );
    const active = await progress.step('provisioned', (say) => becomesActive(graph, instanceId, say));
    const paidToActiveMs = performance.now() - paidAt;
    for (const event of active.timeline)
      progress.line(
        `    ${event.kind.padEnd(12)} generation ${event.generation}  ${event.durationMs === null ? '' : seconds(event.durationMs).padStart(7)}  ${event.commit ? `commit ${event.commit.slice(0, 12)}` : event.message}`,
      );
    const runId = await progress.step('run', (say) =>
      run(graph, { instanceId, organizationId: organization.id, prompt, say, progress }),
    );
    const charge = await progress.step('settled', (say) =>
      settled(graph, { runId, organizationId: organization.id, say, progress }),
    );
    const commit = active.timeline.find((event) => event.commit)?.commit ?? '';
    return {
      organizationId: organization.id,
      projectId: project.id,
      instanceId,
      orderId: order.id,
      runId,
      commit,
      charge,
      paidToActiveMs,
      accessToken,
    };
  } finally {
    await graph.close();
  }
}

type Say = (text: string) => void;

interface Offering {
  id: string;
  name: string;
  product: { id: string; name: string } | null;
  plans: {
    code: string;
    name: string;
    includedCredits: string;
    variant: { id: string; sku: string } | null;
  }[];
}

async function browse(graph: GraphClient, store: MainJobStore, say: Say): Promise<Offering> {
  const { offering } = await graph.query<{ offering: Offering | null }>(operations.browse, {
    slug: store.offeringSlug,
  });
  if (!offering?.product) throw new Error(`the offering ${store.offeringSlug} is not a product of the shop`);
  say(
    `${offering.name}, product "${offering.product.name}" of the shop, plans ${offering.plans.map((plan) => plan.code).join(', ')}`,
  );
  return offering;
}

interface Workspace {
  organization: {
    id: string;
    slug: string;
    wallet: { available: string; grants: { kind: string; granted: string }[] };
  };
  project: { id: string; slug: string };
}

async function workspace(graph: GraphClient, say: Say): Promise<Workspace> {
  const { workspaceAuto: made } = await graph.query<{ workspaceAuto: Workspace & { errors: Errors } }>(
    operations.workspace,
  );
  accept(made.errors);
  const { wallet } = made.organization;
  const trial = wallet.grants.find(({ kind }) => kind === 'TRIAL');
  say(
    `${made.organization.slug}/${made.project.slug}, ${trial ? `TRIAL grant of ${formatCredits(BigInt(trial.granted))} credits, ` : ''}${formatCredits(BigInt(wallet.available))} available`,
  );
  return made;
}

interface Checkout {
  id: string;
  totalPrice: { gross: { amount: number; currency: string } };
}

async function fillCheckout(
  graph: GraphClient,
  store: MainJobStore,
  { offering, organizationId, say }: { offering: Offering; organizationId: string; say: Say },
): Promise<Checkout> {
  const plan = offering.plans.find((candidate) => candidate.code === store.planCode);
  if (!plan?.variant) throw new Error(`the plan ${store.planCode} is not for sale`);
  const { checkoutCreate: created } = await graph.query<{
    checkoutCreate: { checkout: Checkout | null; errors: Errors };
  }>(operations.checkoutCreate, {
    input: {
      channel: store.channel,
      email: store.buyer.email,
      lines: [
        { variantId: plan.variant.id, quantity: 1 },
        { variantId: store.creditPackVariantId, quantity: 1 },
      ],
      billingAddress: {
        firstName: 'Demo',
        lastName: 'Buyer',
        streetAddress1: '1 Main Street',
        city: 'Springfield',
        postalCode: '62701',
        country: 'US',
        countryArea: 'IL',
      },
    },
  });
  accept(created.errors);
  const checkout = created.checkout!;
  const { updateMetadata: noted } = await graph.query<{ updateMetadata: { errors: Errors } }>(
    operations.checkoutMetadata,
    {
      id: checkout.id,
      input: [{ key: 'agentstore.organizationId', value: organizationId }],
    },
  );
  accept(noted.errors);
  say(
    `${plan.name} and 1,000 credits, ${checkout.totalPrice.gross.amount.toFixed(2)} ${checkout.totalPrice.gross.currency}`,
  );
  return checkout;
}

async function granted(graph: GraphClient, orderId: string, say: Say): Promise<string> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await pause(40)) {
    const { order } = await graph.query<{
      order: { instances: { id: string }[]; topUps: { amount: string }[] } | null;
    }>(operations.orderOutcome, { id: orderId });
    const instance = order?.instances[0];
    if (!instance || !order.topUps.length) continue;
    say(
      `plan line → instance, pack line → top-up of ${order.topUps.map((entry) => formatCredits(BigInt(entry.amount))).join(' + ')} credits`,
    );
    return instance.id;
  }
  throw new Error('the paid order was not granted within 30 s');
}

interface InstanceNow {
  state: string;
  desiredGeneration: number;
  endpoint: { path: string } | null;
  timeline: {
    kind: string;
    generation: number;
    message: string;
    commit: string | null;
    durationMs: number | null;
  }[];
}

async function becomesActive(graph: GraphClient, instanceId: string, say: Say): Promise<InstanceNow> {
  for await (const { instanceChanged: now } of graph.subscribe<{ instanceChanged: InstanceNow }>(
    operations.instanceChanged,
    { id: instanceId },
    { deadlineMs: activeWithinMs },
  )) {
    if (now.state !== 'ACTIVE') continue;
    say(`ACTIVE, ready at generation ${now.desiredGeneration}`);
    return now;
  }
  throw new Error('the instance did not become ACTIVE');
}

interface Event {
  __typename: string;
  seq: number;
  delta?: string;
  output?: string;
  error?: { code: string; message: string };
}

async function run(
  graph: GraphClient,
  {
    instanceId,
    organizationId,
    prompt,
    say,
    progress,
  }: { instanceId: string; organizationId: string; prompt: string; say: Say; progress: Progress },
): Promise<string> {
  const { runStart: started } = await graph.query<{
    runStart: { run: { id: string } | null; errors: Errors };
  }>(operations.runStart, {
    input: { instanceId, input: prompt, idempotencyKey: crypto.randomUUID() },
  });
  accept(started.errors);
  const runId = started.run!.id;
  const { wallet } = await graph.query<{ wallet: { reservations: Reservation[] } }>(operations.reservations, {
    organizationId,
  });
  const held = wallet.reservations.find((reservation) => reservation.run?.id === runId);
  if (held)
    progress.line(
      `    reserved   ${formatCredits(BigInt(held.amount))} credits before it began (${held.state})`,
    );
  let text = '';
  let count = 0;
  const began = performance.now();
  let firstTokenMs = 0;
  for await (const { runEvents: event } of graph.subscribe<{ runEvents: Event }>(
    operations.runEvents,
    { runId, after: 0 },
    { deadlineMs: runWithinMs },
  )) {
    count = event.seq;
    if (event.delta) firstTokenMs ||= performance.now() - began;
    text += event.delta ?? '';
    if (event.__typename === 'RunFailed')
      throw new Error(`the run failed: ${event.error?.code} ${event.error?.message}`);
  }
  progress.line(`    “${text.trim()}”`);
  say(`${count} events over graphql-ws, first text after ${seconds(firstTokenMs)}`);
  return runId;
}

interface Reservation {
  amount: string;
  state: string;
  run: { id: string } | null;
}

interface Settlement {
  run: {
    charge: string | null;
    usage: { status: string } | null;
    instance: { version: { version: string; sha256: string } };
  };
  wallet: {
    available: string;
    reservations: Reservation[];
    ledgerEntries: {
      edges: {
        node: {
          seq: number;
          amount: string;
          run: { id: string } | null;
          transfers: { debitAccount: string; creditAccount: string; amount: string; code: string }[];
          usage: { dimension: string; quantity: string; amount: string }[];
        };
      }[];
    };
  };
}

async function settled(
  graph: GraphClient,
  {
    runId,
    organizationId,
    say,
    progress,
  }: { runId: string; organizationId: string; say: Say; progress: Progress },
): Promise<bigint> {
  const answer = await graph.query<Settlement>(operations.settlement, { runId, organizationId });
  // Others may have run meanwhile, with the API key: the newest entry need not be ours.
  const entry = answer.wallet.ledgerEntries.edges.find(({ node }) => node.run?.id === runId)?.node;
  if (!answer.run.charge || !entry) throw new Error('the run has no settlement in the ledger');
  const { version } = answer.run.instance;
  progress.line(`    artifact   version ${version.version}, sha256 ${version.sha256}`);
  const held = answer.wallet.reservations.find((reservation) => reservation.run?.id === runId);
  if (held) progress.line(`    reserved   ${formatCredits(BigInt(held.amount))} credits, now ${held.state}`);
  for (const line of entry.usage)
    progress.line(
      `    usage      ${line.dimension.padEnd(14)} ${line.quantity.padStart(6)}  ${formatCredits(BigInt(line.amount))} credits`,
    );
  for (const transfer of entry.transfers)
    progress.line(
      `    transfer   ${transfer.debitAccount} → ${transfer.creditAccount}  ${formatCredits(BigInt(transfer.amount))} credits (${transfer.code})`,
    );
  say(
    `ledger entry ${entry.seq}: charged ${formatCredits(BigInt(answer.run.charge))} credits, ${formatCredits(BigInt(answer.wallet.available))} left`,
  );
  return BigInt(answer.run.charge);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
