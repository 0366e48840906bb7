import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { artifactBucket } from '../../../infra/dev/stack/doubles.ts';
import { startObjects, type Objects } from '../../../infra/dev/objects/objects.ts';
import { demoArtifact } from '../../../infra/dev/runtime/demo-flow.ts';
import { startRuntime } from '../../../infra/dev/runtime/runtime.ts';
import type { Answer } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
let objects: Objects;
let home: { organizationId: string; projectId: string; instanceId: string };
beforeAll(async () => {
  store = await openStore();
  objects = store.stack.doubles.objects;
  store.later(() => objects.stop());
  buyer = await store.signUp();
  home = await buyer.withActiveInstance();
});
afterAll(() => store.close());

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

const follow = (runId: string) =>
  buyer.runEvents(
    'subscription ($id: ID!) { runEvents(runId: $id) { __typename ... on RunFailed { error { code retryable } charge } } }',
    { id: runId },
  );

/** Does something while object storage is away, and brings it back. */
async function withoutStorage<T>(work: () => Promise<T>): Promise<T> {
  await objects.stop();
  try {
    return await work();
  } finally {
    objects = await startObjects({
      dir: path.join(store.stateDir, 'objects'),
      port: objects.port,
      ...store.stack.secrets.objects,
      buckets: [artifactBucket],
      log: silentLog,
    });
  }
}

describe('while a part is away', () => {
  it('object storage: a run whose artifact nobody has read yet fails, may be tried again and costs nothing', async () => {
    const before = (await buyer.wallet(home.organizationId)).available;
    const [ended] = await withoutStorage(async () => {
      const { run } = await buyer.run(home.instanceId, 'Are you there?');
      return (await follow(run.id)).slice(-1);
    });
    expect(ended).toEqual({
      __typename: 'RunFailed',
      error: { code: 'ARTIFACT_UNAVAILABLE', retryable: true },
      charge: '0',
    });
    expect(await buyer.wallet(home.organizationId)).toMatchObject({ available: before, reserved: '0' });
    const again = await buyer.run(home.instanceId, 'Are you there?');
    expect((await follow(again.run.id)).at(-1)).toMatchObject({ __typename: 'RunFinished' });
  });

  it('object storage: a version cannot be published, and can when it is back', async () => {
    await store.sql('update control_plane.publisher set organization_id = $1', [
      fromGlobalId('Organization', home.organizationId),
    ]);
    const { offering } = await buyer.query('{ offering(slug: "support-agent") { id } }');
    const bytes = demoArtifact({ modelBaseUrl: 'http://127.0.0.1:9/v1' });
    const { offeringVersionUpload: announced } = await buyer.query(
      'mutation ($input: OfferingVersionUploadInput!) { offeringVersionUpload(input: $input) { uploadUrl offeringVersion { id } errors { code } } }',
      {
        input: {
          offeringId: offering.id,
          version: '2.0.0',
          sha256: createHash('sha256').update(bytes).digest('hex'),
          sizeBytes: bytes.length,
        },
      },
    );
    const put = await fetch(announced.uploadUrl!, { method: 'PUT', body: new Uint8Array(bytes) });
    expect(put.status).toBe(200);
    const publish = () =>
      buyer.query(
        'mutation ($input: OfferingVersionPublishInput!) { offeringVersionPublish(input: $input) { offeringVersion { state } errors { code } } }',
        { input: { offeringVersionId: announced.offeringVersion!.id } },
      );
    await withoutStorage(() => expect(publish()).rejects.toMatchObject({ codes: ['UNAVAILABLE'] }));
    expect((await publish()).offeringVersionPublish).toEqual({
      offeringVersion: { state: 'PUBLISHED' },
      errors: [],
    });
  });

  it('object storage: an instance waits with a condition that says why, and turns ACTIVE when it is back', async () => {
    const id = await withoutStorage(async () => {
      const activated = await activate('without storage');
      const condition = await buyer.waitFor(
        'query ($id: ID!) { instance(id: $id) { state conditions { type status reason } } }',
        { id: activated },
        ({ instance }) => instance.conditions.find((one) => one.type === 'Ready' && one.status === 'Unknown'),
      );
      expect(condition).toMatchObject({ reason: 'ObjectStorageUnavailable' });
      return activated;
    });
    await becomesActive(id);
  });

  it('the repository is locked: the one commit waits for the lock, its instance says so, and nothing is lost', async () => {
    const lock = path.join(store.stateDir, 'git/agentstore.git/refs/heads/main.lock');
    const before = await store.git.log();
    fs.writeFileSync(lock, '');
    const id = await activate('locked');
    const condition = await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state conditions { type status reason } } }',
      { id },
      ({ instance }) => instance.conditions.find(({ type }) => type === 'Committed'),
    );
    expect(condition).toEqual({ type: 'Committed', status: 'False', reason: 'REPOSITORY_LOCKED' });
    expect(await store.git.log()).toEqual(before);
    fs.rmSync(lock);
    await becomesActive(id);
    expect((await store.git.log()).slice(1)).toEqual(before);
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
