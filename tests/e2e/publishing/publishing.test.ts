import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { credits } from '@agentstore/kernel/credits';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { signIn } from '../../../infra/dev/identity/sign-in.ts';
import type { GraphClient } from '../../../infra/dev/main-job/graph-client.ts';
import { demoArtifact } from '../../../infra/dev/runtime/demo-flow.ts';
import { artifactBucket } from '../../../infra/dev/stack/doubles.ts';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import type { Data, VersionPayload } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let publisher: GraphClient;
let offering: string;
let first: Buffer;
const slug = 'published-agent';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const flow = (modelName: string) => demoArtifact({ modelBaseUrl: store.stack.doubles.model.url, modelName });

beforeAll(async () => {
  store = await openStore();
  const { issuer, clientId, audience, users } = store.stack.doubles.identity;
  const demo = users.find(({ email }) => email.startsWith('publisher@'))!;
  publisher = store.as((await signIn({ issuer, clientId, audience, ...demo })).accessToken);
  const { workspaceAuto } = await publisher.query<Data>(
    'mutation { workspaceAuto(input: {}) { organization { id } } }',
  );
  first = flow('scripted-1');
  offering = await offer(fromGlobalId('Organization', workspaceAuto.organization.id)!);
});
afterAll(async () => {
  await assertInvariants(store.adminUrl);
  await store.close();
});

/** Whoever runs the store registers an offering of the publisher's, with a first version that is its plans' all. */
async function offer(organizationId: string): Promise<string> {
  const seed = store.stack.mounted.clientOf('control-plane', 'seed');
  const { offeringId } = await seed.call<{ offeringId: string }>('PUT', '/internal/catalogue', {
    publisher: { slug: 'pia', name: 'Pia', organizationId },
    offering: {
      slug,
      name: 'Published agent',
      saleorProductId: 'UHJvZHVjdDo5OTk5',
      saleorChannel: store.stack.shop.channel,
      capabilities: [],
    },
    version: {
      version: '0.0.1',
      bucket: artifactBucket,
      objectKey: 'published-agent/never-stored.json',
      sha256: sha256(first),
      sizeBytes: first.length,
      config: {},
      configSchema: {},
    },
    plans: [
      {
        code: 'trial',
        name: 'Trial',
        saleorVariantId: null,
        includedCredits: '0',
        creditsExpireDays: null,
        config: {},
        entitlements: [],
        maxRunSeconds: 60,
        maxConcurrentRuns: 2,
      },
    ],
    creditPacks: [],
    rateCard: {
      reserve: credits(1).toString(),
      prices: [{ dimension: 'run', unitPrice: '100000000000' }],
    },
  });
  return Buffer.from(`Offering:${offeringId}`).toString('base64url');
}

const announce = async (
  who: Pick<GraphClient, 'query'>,
  version: string,
  bytes: Buffer,
): Promise<VersionPayload> =>
  (
    await who.query<Data>(
      'mutation ($input: OfferingVersionUploadInput!) { offeringVersionUpload(input: $input) { offeringVersion { id state } uploadUrl errors { code } } }',
      { input: { offeringId: offering, version, sha256: sha256(bytes), sizeBytes: bytes.length } },
    )
  ).offeringVersionUpload;
const publish = async (who: Pick<GraphClient, 'query'>, id: string): Promise<VersionPayload> =>
  (
    await who.query<Data>(
      'mutation ($input: OfferingVersionPublishInput!) { offeringVersionPublish(input: $input) { offeringVersion { id state } errors { code } } }',
      { input: { offeringVersionId: id } },
    )
  ).offeringVersionPublish;
const put = (url: string, bytes: Buffer) => fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
const instanceOf = async (buyer: Person, projectId: string): Promise<string> => {
  const { instanceAutoActivate } = await buyer.query(
    'mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id } errors { code } } }',
    { input: { projectId, offeringSlug: slug, idempotencyKey: crypto.randomUUID() } },
  );
  return instanceAutoActivate.instance.id;
};
const active = (buyer: Person, id: string) =>
  buyer.waitFor(
    'query ($id: ID!) { instance(id: $id) { state version { version } } }',
    { id },
    ({ instance }) => (instance.state === 'ACTIVE' ? instance.version.version : undefined),
  );

it('a publisher uploads and publishes a version, and what is bought from then on runs it', async () => {
  const draft = await announce(publisher, '1.0.0', first);
  expect(draft).toMatchObject({ offeringVersion: { state: 'DRAFT' }, errors: [] });
  const { id } = draft.offeringVersion!;
  expect(await publish(publisher, id)).toMatchObject({ errors: [{ code: 'ARTIFACT_MISSING' }] });
  expect((await put(draft.uploadUrl!, first)).status).toBe(200);
  expect(await publish(publisher, id)).toMatchObject({ offeringVersion: { state: 'PUBLISHED' }, errors: [] });

  const buyer = await store.signUp();
  const { workspaceAuto } = await buyer.query(
    'mutation { workspaceAuto(input: {}) { organization { id } project { id } } }',
  );
  const before = await instanceOf(buyer, workspaceAuto.project.id);
  expect(await active(buyer, before)).toBe('1.0.0');

  const second = flow('scripted-2');
  const next = await announce(publisher, '1.1.0', second);
  await put(next.uploadUrl!, second);
  expect((await publish(publisher, next.offeringVersion!.id)).errors).toEqual([]);
  const after = await instanceOf(buyer, workspaceAuto.project.id);
  expect(await active(buyer, after)).toBe('1.1.0');
  expect(await active(buyer, before)).toBe('1.0.0');

  const { run, errors } = await buyer.run(after, 'Hello');
  expect(errors).toEqual([]);
  const events = await buyer.runEvents(
    'subscription ($id: ID!) { runEvents(runId: $id) { __typename ... on RunFinished { charge } } }',
    { id: run.id },
  );
  expect(events.at(-1)).toMatchObject({ __typename: 'RunFinished', charge: '100000' });
});

it('other bytes than the announced ones are refused, and nothing of them is sold', async () => {
  const draft = await announce(publisher, '2.0.0', first);
  await put(draft.uploadUrl!, flow('scripted-3'));
  expect(await publish(publisher, draft.offeringVersion!.id)).toMatchObject({
    offeringVersion: null,
    errors: [{ code: 'ARTIFACT_MISMATCH' }],
  });
  // The right bytes after all.
  await put(draft.uploadUrl!, first);
  expect((await publish(publisher, draft.offeringVersion!.id)).errors).toEqual([]);
});

it('who is not of the publisher finds no such offering and no such version', async () => {
  const stranger = await store.signUp();
  await stranger.query('mutation { workspaceAuto(input: {}) { organization { id } } }');
  expect(await announce(store.as(stranger.token), '6.6.6', first)).toEqual({
    offeringVersion: null,
    uploadUrl: null,
    errors: [{ code: 'OFFERING_NOT_FOUND' }],
  });
  const draft = await announce(publisher, '3.0.0', first);
  await put(draft.uploadUrl!, first);
  expect(await publish(store.as(stranger.token), draft.offeringVersion!.id)).toEqual({
    offeringVersion: null,
    errors: [{ code: 'VERSION_NOT_FOUND' }],
  });
});
