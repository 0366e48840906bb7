import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Instance } from '../../setup/graph-data.ts';
import { openStore, type Store } from '../support/store.ts';

let store: Store;
beforeAll(async () => void (store = await openStore()));
afterAll(() => store.close());

it('buy a plan, get an instance, run it, see what it cost', async () => {
  const buyer = await store.signUp();

  const { workspaceAuto } = await buyer.query(`mutation { workspaceAuto(input: {}) {
    organization { id wallet { available grants { kind granted } } } project { id } errors { code } } }`);
  const { organization } = workspaceAuto;
  expect(organization.wallet.grants).toEqual([{ kind: 'TRIAL', granted: organization.wallet.available }]);

  const { offering } = await buyer.query(`{ offering(slug: "support-agent") {
    product { name } plans { code includedCredits variant { id sku } } } }`);
  expect(offering.product.name).toBe('Support agent');
  const pro = offering.plans.find((plan) => plan.code === 'pro')!;
  expect(pro.variant.sku).toBe('AGENT-PRO-M');

  const order = await buyer.buy([pro.variant.id, store.seed.pack1000VariantId], {
    organizationId: organization.id,
  });
  const { instances, topUps } = await buyer.waitFor(
    'query ($id: ID!) { order(id: $id) { chargeStatus instances { id } topUps { amount } } }',
    { id: order.id },
    ({ order: seen }) => (seen?.instances.length && seen.topUps.length === 2 ? seen : undefined),
  );
  expect(instances).toHaveLength(1);
  expect(topUps.map((entry) => entry.amount)).toContain('1000000000');

  const states: string[] = [];
  let active: Instance | undefined;
  for await (const { instanceChanged } of buyer.subscribe(
    `subscription ($id: ID!) { instanceChanged(instanceId: $id) { state desiredGeneration observedGeneration
      conditions { type status } timeline { kind commit } plan { code } version { sha256 } } }`,
    { id: instances[0]!.id },
  )) {
    if (instanceChanged.state !== states.at(-1)) states.push(instanceChanged.state);
    if ((active = instanceChanged).state === 'ACTIVE') break;
  }
  expect(active).toMatchObject({
    plan: { code: 'pro' },
    version: { sha256: store.seed.artifactSha256 },
    desiredGeneration: active!.observedGeneration,
  });
  expect(active!.timeline.map((event) => event.kind)).toEqual(
    expect.arrayContaining(['requested', 'committed', 'applied', 'ready', 'active']),
  );
  expect(await store.git.log()).toContain(active!.timeline.find((event) => event.commit)!.commit);

  const before = BigInt((await buyer.wallet(organization.id)).available);
  const { runStart } = await buyer.query(
    'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id state } errors { code } } }',
    {
      input: { instanceId: instances[0]!.id, input: 'Where is my parcel?', idempotencyKey: 'first' },
    },
  );
  expect(runStart.errors).toEqual([]);
  const events = await buyer.runEvents(
    `subscription ($id: ID!) { runEvents(runId: $id) { __typename seq ... on TextMessageContent { delta }
      ... on RunFinished { output charge usage { status models { outputTokens } } } } }`,
    { id: runStart.run.id },
  );
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  expect([events[0]!.__typename, events.at(-1)!.__typename]).toEqual(['RunStarted', 'RunFinished']);
  const { output, charge, usage } = events.at(-1)!;
  expect(events.map((event) => event.delta ?? '').join('')).toBe(output);
  expect(usage?.status).toBe('REPORTED');

  const wallet = await buyer.wallet(organization.id);
  expect(before - BigInt(wallet.available)).toBe(BigInt(charge!));
  expect(wallet.reserved).toBe('0');
  const [entry] = wallet.ledgerEntries.edges.map((edge) => edge.node);
  expect(entry).toMatchObject({ kind: 'SETTLEMENT', run: { id: runStart.run.id, charge } });
  const total = entry!.transfers.reduce((sum, transfer) => sum + BigInt(transfer.amount), 0n);
  expect(total).toBe(BigInt(charge!));
}, 60_000);
