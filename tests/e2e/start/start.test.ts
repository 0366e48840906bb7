import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { signIn } from '../../../infra/dev/identity/sign-in.ts';
import { graphClient } from '../../../infra/dev/main-job/graph-client.ts';
import { demoArtifact } from '../../../infra/dev/runtime/demo-flow.ts';
import { choosePatient } from '../../../infra/doctor/saleor/choose-patient.ts';
import { examineSaleor } from '../../../infra/doctor/saleor/examine-saleor.ts';
import { stateDirectory, type StartedStore, type StateDirectory } from '../support/started-store.ts';

/** One Ctrl-C as a terminal and npm make it: two signals. */
const ctrlC = (store: StartedStore): void => {
  store.signal('SIGINT');
  store.signal('SIGINT');
};

describe('a first start', () => {
  let state: StateDirectory;
  beforeAll(async () => void (state = await stateDirectory()));
  afterAll(() => state.remove());

  it('is stopped in order by Ctrl-C in the middle of its steps, and in the middle of the main job', async () => {
    for (const moment of ['✓ identity', '✓ workspace']) {
      const store = state.start();
      await store.says(moment);
      ctrlC(store);
      expect({ code: await store.ended(), said: store.said() }).toMatchObject({ code: 0 });
      expect(store.said()).toMatch(/Stopping …\n(.*\n)*Stopped\.\n$/);
      expect(store.said()).not.toMatch(/did not start|✗/);
      expect(state.processes()).toEqual([]);
    }
  }, 120_000);
});

describe('a store', () => {
  let state: StateDirectory;
  let store: StartedStore;
  beforeAll(async () => {
    state = await stateDirectory();
    store = state.start();
    await store.says('Up in');
  }, 120_000);
  afterAll(() => state.remove());

  const as = (token?: string) =>
    graphClient({ url: state.description().urls.graphql, ...(token ? { token } : {}) });
  const tokenOf = async (role: string) => {
    const { oidc, users } = state.description();
    const { accessToken } = await signIn({
      ...oidc,
      ...users.find(({ email }) => email.startsWith(`${role}@`))!,
    });
    return accessToken;
  };

  it('shows the whole main job, each fact of it read back', () => {
    for (const fact of [
      /TRIAL grant of 100 credits/,
      /webhook +order_fully_paid .* body sha256 [0-9a-f]{16}/,
      /committed .* commit [0-9a-f]{12}/,
      /reserved +5 credits/,
      new RegExp(`artifact +version .* sha256 ${state.description().offering.artifactSha256}`),
      /transfer +wallet:.* → /,
      /ledger entry \d+: charged/,
      /espresso-machine\.pdf +READY +100 %/,
      /returns\.md +READY +100 %/,
      /\[\d\] espresso-machine\.pdf, page 3 \(score [01]\.\d\d\)/,
    ])
      expect(store.said()).toMatch(fact);
  });

  it('has its shop connected as the doctor wants a Saleor to be', async () => {
    let said = '';
    const failed = await examineSaleor(await choosePatient({}, state.path), (line) => (said += line));
    expect({ failed, said }).toEqual({ failed: 0, said });
  });

  it('describes itself in dev.json by what its graph and its servers answer', async () => {
    const { urls, directories, offering, demo, shop, runtime } = state.description();
    const anonymous = as();
    const member = as(demo!.apiKey);
    try {
      const { byId } = await anonymous.query<{ byId: Record<string, unknown> }>(
        'query ($id: ID!) { byId: offering(id: $id) { slug product { id } currentVersion { id sha256 } plans { id code variant { id } } } }',
        { id: offering.id },
      );
      expect(byId).toEqual({
        slug: offering.slug,
        product: { id: shop.productId },
        currentVersion: { id: offering.versionId, sha256: offering.artifactSha256 },
        plans: Object.entries(offering.plans).map(([code, id]) => ({
          id,
          code,
          variant: offering.variants[code] ? { id: offering.variants[code] } : null,
        })),
      });
      for (const [credits, id] of Object.entries(offering.creditPacks)) {
        const { productVariant } = await anonymous.query<{
          productVariant: { creditPack: { credits: string } };
        }>(
          'query ($id: ID!, $channel: String!) { productVariant(id: $id, channel: $channel) { creditPack { credits } } }',
          { id, channel: shop.channel },
        );
        expect(productVariant.creditPack.credits).toBe(`${credits}000000`);
      }
      const found = await member.query<{
        instance: { state: string; project: { id: string }; organization: { id: string } };
        wallet: { available: string };
      }>(
        'query ($id: ID!, $org: ID!) { instance(id: $id) { state project { id } organization { id } } wallet(organizationId: $org) { available } }',
        { id: demo!.instanceId, org: demo!.organizationId },
      );
      expect(found.instance).toEqual({
        state: 'ACTIVE',
        project: { id: demo!.projectId },
        organization: { id: demo!.organizationId },
      });
      expect(BigInt(found.wallet.available)).toBeGreaterThan(BigInt(offering.reservePerRun));
    } finally {
      await Promise.all([anonymous.close(), member.close()]);
    }
    const answers = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status;
    expect(await answers(urls.openApi)).toBe(200);
    expect(await answers(`${urls.identity}/.well-known/openid-configuration`)).toBe(200);
    expect(await answers(`${urls.provisioner}/api/manifest`)).toBe(200);
    expect(await answers(urls.objects)).toBe(403); // S3 knows no anonymous caller
    expect(await answers(`${urls.model}/models`)).toBeLessThan(500);
    expect(await answers(`${urls.runtime}/health`)).toBe(200);
    expect(runtime).toBe('dev runtime');
    for (const directory of Object.values(directories)) expect(fs.existsSync(directory!)).toBe(true);
    const run = await fetch(`${urls.rest}/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${demo!.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ instanceId: demo!.instanceId, input: 'Are you there?' }),
      signal: AbortSignal.timeout(20_000),
    });
    expect(run.status).toBeLessThan(300);
  });

  it('lets the publisher upload and publish a version of the offering, and nobody else', async () => {
    const { offering, urls } = state.description();
    const bytes = demoArtifact({ modelBaseUrl: urls.model, modelName: 'another' });
    const input = {
      offeringId: offering.id,
      version: '2.0.0',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: bytes.length,
    };
    const payload = '{ offeringVersion { id state sha256 } uploadUrl errors { code } }';
    type Payload = Record<
      string,
      {
        offeringVersion: { id: string; state: string; sha256: string } | null;
        uploadUrl: string | null;
        errors: { code: string }[];
      }
    >;
    const upload = `mutation ($input: OfferingVersionUploadInput!) { made: offeringVersionUpload(input: $input) ${payload} }`;
    const buyer = as(await tokenOf('buyer'));
    const publisher = as(await tokenOf('publisher'));
    try {
      const refused = await buyer.query<Payload>(upload, { input });
      expect(refused['made']!.errors).toEqual([{ code: 'OFFERING_NOT_FOUND' }]);
      const { made } = await publisher.query<Payload>(upload, { input });
      expect(made!.errors).toEqual([]);
      const put = await fetch(made!.uploadUrl!, { method: 'PUT', body: new Uint8Array(bytes) });
      expect(put.status).toBe(200);
      const { published } = await publisher.query<Payload>(
        `mutation ($input: OfferingVersionPublishInput!) { published: offeringVersionPublish(input: $input) ${payload} }`,
        { input: { offeringVersionId: made!.offeringVersion!.id } },
      );
      expect(published).toMatchObject({
        errors: [],
        offeringVersion: { state: 'PUBLISHED', sha256: input.sha256 },
      });
      expect(fromGlobalId('OfferingVersion', published!.offeringVersion!.id)).toBeDefined();
    } finally {
      await Promise.all([buyer.close(), publisher.close()]);
    }
  });

  it('is started once per state directory', async () => {
    const second = state.start();
    expect(await second.ended()).toBe(1);
    expect(second.said()).toContain(`already runs on this state (process ${state.description().pid})`);
  });

  it('does not start without a port that its data need, says so, and starts when it is free again; a demo that cannot run is bought again', async () => {
    const before = state.description();
    const member = as(before.demo!.apiKey);
    await member.query(
      'mutation ($id: ID!) { instancePause(input: { instanceId: $id }) { errors { code } } }',
      { id: before.demo!.instanceId },
    );
    const stateQuery = 'query ($id: ID!) { instance(id: $id) { state } }';
    await expect
      .poll(() => member.query(stateQuery, { id: before.demo!.instanceId }))
      .toEqual({
        instance: { state: 'PAUSED' },
      });
    await member.close();
    ctrlC(store);
    expect({ code: await store.ended(), said: store.said() }).toMatchObject({ code: 0 });
    expect(state.processes()).toEqual([]);

    const stranger = net.createServer().listen(state.ports.shop, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    const refused = state.start();
    expect(await refused.ended()).toBe(1);
    expect(refused.said()).toContain(
      `port ${state.ports.shop} is taken, and the provisioner is an app of the shop at this address (shop)`,
    );
    await new Promise((resolve) => stranger.close(resolve));

    const again = state.start();
    await again.says('Up in');
    expect(again.said()).toContain('its instance is PAUSED');
    const { demo, urls } = state.description();
    expect(urls).toEqual(before.urls);
    expect(demo!.instanceId).not.toBe(before.demo!.instanceId);
    const now = as(demo!.apiKey);
    expect(await now.query(stateQuery, { id: demo!.instanceId })).toEqual({ instance: { state: 'ACTIVE' } });
    await now.close();
  }, 120_000);
});
