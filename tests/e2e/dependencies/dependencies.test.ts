import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { artifactBucket } from '../../../infra/dev/stack/doubles.ts';
import { startObjects } from '../../../infra/dev/objects/objects.ts';
import { startRuntime } from '../../../infra/dev/runtime/runtime.ts';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import type { Answer } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
let home: { organizationId: string; projectId: string; instanceId: string };
beforeAll(async () => {
  store = await openStore();
  buyer = await store.signUp();
  home = await buyer.withActiveInstance();
});
afterAll(async () => {
  await assertInvariants(store.adminUrl);
  await store.close();
});

const activate = async (key: string): Promise<string> => {
  const { instanceAutoActivate } = await buyer.query(
    'mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id } errors { code } } }',
    {
      input: { projectId: home.projectId, offeringSlug: 'support-agent', idempotencyKey: key },
    },
  );
  return instanceAutoActivate.instance.id;
};
const becomesActive = (id: string) =>
  buyer.waitFor('query ($id: ID!) { instance(id: $id) { state } }', { id }, ({ instance }) =>
    instance.state === 'ACTIVE' ? instance : undefined,
  );

describe('while a part is away', () => {
  it('object storage: an instance waits with a condition that says why, and turns ACTIVE when it is back', async () => {
    const { objects } = store.stack.doubles;
    await objects.stop();
    const id = await activate('without storage');
    const condition = await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state conditions { type status reason } } }',
      { id },
      ({ instance }) => instance.conditions.find((one) => one.type === 'Ready' && one.status === 'Unknown'),
    );
    expect(condition).toMatchObject({ reason: 'ObjectStorageUnavailable' });
    const again = await startObjects({
      dir: path.join(store.stateDir, 'objects'),
      port: objects.port,
      ...store.stack.secrets.objects,
      buckets: [artifactBucket],
      log: silentLog,
    });
    await becomesActive(id);
    store.later(() => again.stop());
  });

  it('the repository is locked: the commit waits for the lock, its instance says so, and nothing is lost', async () => {
    const lock = path.join(store.stateDir, 'git/agentstore.git/refs/heads/main.lock');
    fs.writeFileSync(lock, '');
    const id = await activate('locked');
    const condition = await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state conditions { type status reason } } }',
      { id },
      ({ instance }) => instance.conditions.find(({ type }) => type === 'Committed'),
    );
    expect(condition).toEqual({ type: 'Committed', status: 'False', reason: 'REPOSITORY_LOCKED' });
    fs.rmSync(lock);
    await becomesActive(id);
  });

  it('the runtime: a run waits for it and succeeds, and is charged once', async () => {
    const { runtime } = store.stack.doubles;
    await store.stack.doubles.stopRuntime();
    const before = BigInt((await buyer.wallet(home.organizationId)).available);
    const { run } = await buyer.run(home.instanceId, 'Are you there?');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const again = await startRuntime({
      port: Number(new URL(runtime.url).port),
      apiKey: store.stack.secrets.runtimeKey,
      dir: path.join(store.stateDir, 'runtime'),
      log: silentLog,
    });
    store.later(() => again.stop());
    const events = await buyer.runEvents(
      'subscription ($id: ID!) { runEvents(runId: $id) { __typename ... on RunFinished { charge } } }',
      { id: run.id },
    );
    expect(events.at(-1)).toMatchObject({ __typename: 'RunFinished' });
    expect(before - BigInt((await buyer.wallet(home.organizationId)).available)).toBe(
      BigInt(events.at(-1)!.charge!),
    );
  });

  it('the shop: its fields are null with a code, ours still answer', async () => {
    await store.stack.doubles.shop.stop();
    const answer = await fetch(store.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${buyer.token}` },
      body: JSON.stringify({ query: '{ offering(slug: "support-agent") { name product { id name } } }' }),
    });
    const { data, errors } = (await answer.json()) as Answer;
    expect(data.offering).toMatchObject({ name: 'Support agent' });
    expect(data.offering.product?.name ?? null).toBeNull();
    expect(errors.map((error) => error.extensions.code)).toContain('SALEOR_UNAVAILABLE');
  });
});
