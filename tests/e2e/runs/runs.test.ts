import fc from 'fast-check';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { artifactBucket } from '../../../infra/dev/stack/doubles.ts';
import type { Data, RunEvent } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
let home: { organizationId: string; projectId: string; instanceId: string };
beforeAll(async () => {
  store = await openStore({ delayPerTokenMs: 5 });
  buyer = await store.signUp();
  home = await buyer.withActiveInstance();
});
afterAll(() => store.close());

const follow = (runId: string, after = 0) =>
  buyer.runEvents(
    'subscription ($id: ID!, $after: Int!) { runEvents(runId: $id, after: $after) { __typename seq ... on RunFailed { error { code retryable } charge } ... on RunCancelled { charge } } }',
    { id: runId, after },
  );

describe('a run', () => {
  it('is seen by a subscriber that reconnects at any seq exactly once, event by event', async () => {
    const { run } = await buyer.run(home.instanceId, 'Tell me a long story about parcels, please.');
    const whole = await follow(run.id);
    for (const after of [0, 1, Math.floor(whole.length / 2), whole.length - 1])
      expect(await follow(run.id, after)).toEqual(whole.slice(after));
    expect(await follow(run.id, whole.length)).toEqual([]);
  });

  it('that streams is seen exactly once by a subscriber whose socket breaks again and again', async () => {
    const document =
      'subscription ($id: ID!, $after: Int!) { runEvents(runId: $id, after: $after) { __typename seq ... on TextMessageContent { delta } } }';
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        async (pieces) => {
          const { run } = await buyer.run(home.instanceId, 'scripted-slow?tokens=40&delay=15 Go on.');
          const seen: RunEvent[] = [];
          let liveBreaks = 0;
          // The last piece has no end of its own: it goes on to the run's.
          for (const size of [...pieces, Infinity]) {
            const socket = store.as(buyer.token);
            let taken = 0;
            for await (const { runEvents } of socket.subscribe<Data>(document, {
              id: run.id,
              after: seen.at(-1)?.seq ?? 0,
            })) {
              seen.push(runEvents);
              if (++taken === size) break;
            }
            await socket.close();
            if (seen.at(-1)!.__typename === 'RunFinished') break;
            liveBreaks += 1;
          }
          expect(liveBreaks).toBeGreaterThan(0);
          expect(seen).toEqual(await buyer.runEvents(document, { id: run.id, after: 0 }));
          expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
          expect(seen.at(-1)!.__typename).toBe('RunFinished');
        },
      ),
      { numRuns: 5, examples: [[Array.from({ length: 100 }, () => 1)]] },
    );
  });

  it('starts once per key, however many ask at the same moment, and refuses the key for another body', async () => {
    const idempotencyKey = 'one run';
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => buyer.run(home.instanceId, 'Once.', { idempotencyKey })),
    );
    expect(new Set(answers.map(({ run }) => run?.id)).size).toBe(1);
    expect((await buyer.run(home.instanceId, 'Twice.', { idempotencyKey })).errors).toMatchObject([
      { code: 'IDEMPOTENCY_CONFLICT' },
    ]);
    await follow(answers[0]!.run.id);
  });

  it('is cancelled while it streams, and charged for what it used', async () => {
    const { run } = await buyer.run(home.instanceId, `Say a lot: ${'word '.repeat(400)}`);
    const events: string[] = [];
    for await (const { runEvents } of buyer.subscribe(
      'subscription ($id: ID!) { runEvents(runId: $id) { __typename } }',
      { id: run.id },
    )) {
      events.push(runEvents.__typename);
      if (events.length === 5)
        await buyer.query(
          'mutation ($input: RunCancelInput!) { runCancel(input: $input) { errors { code } } }',
          { input: { runId: run.id } },
        );
    }
    expect(events.at(-1)).toBe('RunCancelled');
    expect((await buyer.wallet(home.organizationId)).reserved).toBe('0');
  });

  it('of another organization does not exist', async () => {
    const stranger = await store.signUp();
    expect((await stranger.run(home.instanceId, 'Let me in.')).errors).toMatchObject([
      { code: 'INSTANCE_NOT_FOUND' },
    ]);
    const { run } = await buyer.run(home.instanceId, 'Mine.');
    await follow(run.id);
    expect(await stranger.query('query ($id: ID!) { run(id: $id) { id } }', { id: run.id })).toEqual({
      run: null,
    });
    await expect(
      stranger.runEvents('subscription ($id: ID!) { runEvents(runId: $id) { seq } }', { id: run.id }),
    ).rejects.toMatchObject({ codes: ['NOT_FOUND'] });
    const both =
      'query ($organization: ID!, $instance: ID!) { wallet(organizationId: $organization) { balance } instance(id: $instance) { id } }';
    expect(
      await stranger.query(both, { organization: home.organizationId, instance: home.instanceId }),
    ).toEqual({ wallet: null, instance: null });
  });

  it('without enough credits is refused before anything is executed, and says what is missing', async () => {
    const poor = await store.signUp();
    const { organizationId, instanceId } = await poor.withActiveInstance();
    const { available } = await poor.wallet(organizationId);
    const raw = {
      organizationId: fromGlobalId('Organization', organizationId)!,
      instanceId: fromGlobalId('Instance', instanceId)!,
    };
    const facts = await store.stack.mounted
      .clientOf('control-plane', 'runs')
      .call<{ offeringId: string }>('GET', `/instances/${raw.instanceId}/entitlements`);
    const { uuidv7 } = await import('@agentstore/kernel/ids');
    await store.stack.mounted.clientOf('billing', 'runs').call('POST', '/billing/authorize', {
      ...raw,
      offeringId: facts.offeringId,
      runId: uuidv7(),
      amount: (BigInt(available) - 1_000_000n).toString(),
      ttlSeconds: 300,
    });
    const refused = await poor.run(instanceId, 'For free?');
    expect(refused).toMatchObject({
      run: null,
      required: '5000000',
      available: '1000000',
      missing: '4000000',
      errors: [{ code: 'INSUFFICIENT_CREDITS' }],
    });
    const rest = await fetch(`${store.stack.publicOrigin}/v1/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${poor.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ instanceId, input: 'For free?' }),
    });
    expect([rest.status, await rest.json()]).toMatchObject([
      402,
      { code: 'INSUFFICIENT_CREDITS', missing: '4000000' },
    ]);
    const { instance } = await poor.query(
      'query ($id: ID!) { instance(id: $id) { runs { edges { node { id } } } } }',
      { id: instanceId },
    );
    expect(instance.runs.edges).toEqual([]);
  });

  it('of an artifact whose bytes are not the published ones is not executed, and costs nothing', async () => {
    const other = await openStore();
    try {
      const owner = await other.signUp();
      const { organizationId, instanceId } = await owner.withActiveInstance();
      const { objects } = other.stack.doubles;
      const client = new Client({
        endPoint: objects.endPoint,
        port: objects.port,
        useSSL: false,
        ...other.stack.secrets.objects,
        region: 'us-east-1',
      });
      const key = `support-agent/${other.seed.artifactSha256}.json`;
      const size = (await client.statObject(artifactBucket, key)).size;
      await client.putObject(artifactBucket, key, Buffer.alloc(size, '{'));
      const before = (await owner.wallet(organizationId)).available;
      const { run } = await owner.run(instanceId, 'Run this.');
      const events = await owner.runEvents(
        'subscription ($id: ID!) { runEvents(runId: $id) { __typename ... on RunFailed { error { code retryable } charge } } }',
        { id: run.id },
      );
      expect(events.at(-1)).toEqual({
        __typename: 'RunFailed',
        error: { code: 'ARTIFACT_MISMATCH', retryable: false },
        charge: '0',
      });
      expect((await owner.wallet(organizationId)).available).toBe(before);
    } finally {
      await other.close();
    }
  });
});

describe('an instance', () => {
  const change = (command: string) =>
    buyer.query(
      `mutation ($input: ${command}Input!) { ${command[0]!.toLowerCase()}${command.slice(1)}(input: $input) { instance { desiredGeneration } errors { code } } }`,
      { input: { instanceId: home.instanceId } },
    );
  const becomes = (state: string) =>
    buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state desiredGeneration observedGeneration } }',
      { id: home.instanceId },
      ({ instance }) =>
        instance.state === state && instance.desiredGeneration === instance.observedGeneration
          ? instance
          : undefined,
    );
  const post = () =>
    fetch(`${store.stack.publicOrigin}/v1/instances/${home.instanceId}/runs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${buyer.token}`,
        'content-type': 'application/json',
        prefer: 'respond-async',
      },
      body: JSON.stringify({ input: 'Hello?' }),
    });

  it('that is paused refuses runs with a reason, at the router as well, and runs again when it is resumed', async () => {
    await change('InstancePause');
    await becomes('PAUSED');
    expect((await buyer.run(home.instanceId, 'Hello?')).errors).toMatchObject([{ code: 'INSTANCE_PAUSED' }]);
    const refused = await post();
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { code: 'INSTANCE_PAUSED', title: expect.stringContaining('paused') },
    ]);
    await change('InstanceResume');
    await becomes('ACTIVE');
    const accepted = await post();
    expect(accepted.status).toBe(202);
    await follow(((await accepted.json()) as { id: string }).id);
  });

  it('that is not ACTIVE yet says so', async () => {
    const { objects } = store.stack.doubles;
    const client = new Client({
      endPoint: objects.endPoint,
      port: objects.port,
      useSSL: false,
      ...store.stack.secrets.objects,
      region: 'us-east-1',
    });
    const key = `support-agent/${store.seed.artifactSha256}.json`;
    const bytes = Buffer.concat((await (await client.getObject(artifactBucket, key)).toArray()) as Buffer[]);
    await client.removeObject(artifactBucket, key);
    const { instanceAutoActivate } = await buyer.query(
      'mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id } errors { code } } }',
      { input: { projectId: home.projectId, offeringSlug: 'support-agent', idempotencyKey: 'trial' } },
    );
    const { id } = instanceAutoActivate.instance;
    await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { conditions { type status reason } } }',
      { id },
      ({ instance }) =>
        instance.conditions.find((one) => one.type === 'Ready' && one.reason === 'ArtifactMissing'),
    );
    expect((await buyer.run(id, 'Already?')).errors).toMatchObject([{ code: 'INSTANCE_NOT_ACTIVE' }]);
    await client.putObject(artifactBucket, key, bytes);
    await buyer.waitFor('query ($id: ID!) { instance(id: $id) { state } }', { id }, ({ instance }) =>
      instance.state === 'ACTIVE' ? instance : undefined,
    );
  });
});
