import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import type { ServiceError } from '@agentstore/kernel/http/client';
import { apiKeyCaller } from '@agentstore/kernel/testing/callers';
import type { WidgetSession, WidgetSessionRequest } from '@agentstore/kernel/widget-session';
import {
  catalogue,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';
import { deleteOldSessions } from './widget-sessions.store.ts';

const origin = 'https://shop.example';
let app: ControlPlane;
let home: Home;
let instance: string;
let widgetKey: string;

beforeAll(async () => {
  app = await startControlPlane();
  await app.service.call('PUT', '/internal/catalogue', catalogue);
  home = await app.withWorkspace();
});
beforeEach(async () => {
  instance = await app.activate(home.person, home.project);
  await app.settle(instance);
  await allow(origin);
  widgetKey = await keyOf(instance);
});

const allow = (...domains: string[]) =>
  app.rows(
    `insert into branding (instance_id, organization_id, asked, changed_by) values ($1, $2, $3, 'test')
     on conflict (instance_id) do update set asked = excluded.asked`,
    [
      uuidOf('Instance', instance),
      home.organizationId,
      { allowedDomains: domains, visitorSpendCap: '7000000' },
    ],
  );
const widgetFields = 'widget { key identityKeys activeSessions lastOrigins } endpoint { widgetKey }';
const read = async (id = instance, person = home.person) =>
  (
    await app.data<{
      instance: {
        widget: { key: string; identityKeys: object[]; activeSessions: number; lastOrigins: string[] };
        endpoint: { widgetKey: string };
      } | null;
    }>(person, `query ($id: ID!) { instance(id: $id) { ${widgetFields} } }`, { id })
  ).instance;
const keyOf = async (id: string): Promise<string> => (await read(id))!.endpoint.widgetKey;
const init = (more: Partial<WidgetSessionRequest> = {}) =>
  app.service.call<WidgetSession>('POST', '/internal/widget-sessions:init', { widgetKey, origin, ...more });
const verify = ({ sessionId }: WidgetSession) =>
  app.service.call('POST', '/internal/widget-sessions:verify', { sessionId });
const end = (handle: string) => app.service.call('POST', '/internal/widget-sessions:end', { handle });
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => 'answered',
    (error: ServiceError) => [error.status, error.code],
  );
const change = async (
  name: string,
  input: object,
  person: Parameters<ControlPlane['graph']>[0] = home.person,
) =>
  app.graph(
    person,
    `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { instance { ${widgetFields} } errors { code field } } }`,
    { input },
  );
const age = (seconds: number) =>
  app.rows(
    `update widget_session set replaced_at = replaced_at - make_interval(secs => $1) where instance_id = $2`,
    [seconds, uuidOf('Instance', instance)],
  );
const everything = () =>
  app.rows(`select * from widget_session where instance_id = $1 order by id`, [uuidOf('Instance', instance)]);

describe('a page', () => {
  it('gets a session of a new visitor, with all that the router needs', async () => {
    const session = await init();
    expect(session).toEqual({
      sessionId: expect.any(String) as string,
      visitorId: expect.any(String) as string,
      instanceId: uuidOf('Instance', instance),
      organizationId: home.organizationId,
      origin,
      spendCap: '7000000',
      handle: expect.stringMatching(/^[\w-]{43}$/) as string,
      identified: false,
      branding: expect.objectContaining({
        brandName: 'Support agent (trial)',
        position: 'BOTTOM_RIGHT',
      }) as object,
    });
    expect((await init()).visitorId).not.toBe(session.visitorId);
    await verify(session);
  });

  it.each<[string, () => Promise<unknown>, unknown[]]>([
    [
      'with an unknown key',
      () => init({ widgetKey: 'wk_0000000000000000000000' }),
      [404, 'WIDGET_NOT_FOUND'],
    ],
    ['from another site', () => init({ origin: 'https://evil.example' }), [403, 'ORIGIN_NOT_ALLOWED']],
    ['from below its site', () => init({ origin: 'https://a.shop.example' }), [403, 'ORIGIN_NOT_ALLOWED']],
    ['from nowhere', () => init({ origin: 'null' }), [403, 'ORIGIN_NOT_ALLOWED']],
    ['with a key too long', () => init({ widgetKey: 'w'.repeat(101) }), [400, 'BAD_REQUEST']],
  ])('%s is refused, and nothing is kept', async (_what, asked, code) => {
    expect(await refusal(asked())).toEqual(code);
    expect(await everything()).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['PAUSED', 'Paused', 'INSTANCE_PAUSED', 'INSTANCE_PAUSED'],
    ['PROVISIONING', 'Active', 'INSTANCE_NOT_READY', 'INSTANCE_PAUSED'],
  ])(
    'of an instance that is %s gets how it looks, and the sessions wait',
    async (state, phase, code, verified) => {
      const session = await init();
      await app.rows('update instance set state = $2, desired_phase = $3 where id = $1', [
        session.instanceId,
        state,
        phase,
      ]);
      const error = await init().catch((thrown: ServiceError) => thrown);
      expect(error).toMatchObject({
        status: 409,
        code,
        facts: { branding: { brandName: 'Support agent (trial)' } },
      });
      expect(await refusal(verify(session))).toEqual([409, verified]);
      expect(await refusal(init({ origin: 'https://evil.example' }))).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
    },
  );

  it('of a terminated instance finds nothing', async () => {
    const session = await init();
    await app.rows("update instance set state = 'TERMINATED', desired_phase = 'Terminated' where id = $1", [
      session.instanceId,
    ]);
    expect(await refusal(init())).toEqual([404, 'WIDGET_NOT_FOUND']);
    expect(await refusal(verify(session))).toEqual([401, 'SESSION_REVOKED']);
  });

  it('whose site was taken off the list does not go on', async () => {
    const session = await init();
    await allow('https://new.example');
    expect(await refusal(verify(session))).toEqual([401, 'SESSION_REVOKED']);
  });
});

describe('a handle', () => {
  it('brings the visitor back, is replaced each time, and none is kept', async () => {
    const first = await init();
    const second = await init({ handle: first.handle });
    const third = await init({ handle: second.handle });
    for (const one of [second, third])
      expect(one).toMatchObject({ sessionId: first.sessionId, visitorId: first.visitorId });
    expect(new Set([first.handle, second.handle, third.handle]).size).toBe(3);
    const kept = JSON.stringify(await everything());
    for (const { handle } of [first, second, third]) {
      expect(kept).not.toContain(handle);
      expect(kept).not.toContain(Buffer.from(handle, 'base64url').toString('hex'));
    }
  });

  it('of an answer that was lost, or that five tabs show at once, leads all to the same next one', async () => {
    const { handle } = await init();
    const all = await Promise.all(Array.from({ length: 5 }, () => init({ handle })));
    expect(new Set(all.map((one) => one.handle)).size).toBe(1);
    expect(await init({ handle })).toMatchObject({ handle: all[0]!.handle });
    expect(await init({ handle: all[0]!.handle })).toMatchObject({ visitorId: all[0]!.visitorId });
  });

  it('that comes a minute after it was replaced ends the session of whoever replaced it', async () => {
    const stolen = await init();
    const owner = await init({ handle: stolen.handle });
    await age(61);
    expect(await refusal(init({ handle: stolen.handle }))).toEqual([401, 'SESSION_REVOKED']);
    expect(await refusal(init({ handle: owner.handle }))).toEqual([401, 'SESSION_REVOKED']);
    expect(await refusal(verify(owner))).toEqual([401, 'SESSION_REVOKED']);
  });

  it('that is older than the one before ends it at once', async () => {
    const first = await init();
    const second = await init({ handle: first.handle });
    const third = await init({ handle: second.handle });
    expect(await refusal(init({ handle: first.handle }))).toEqual([401, 'SESSION_REVOKED']);
    expect(await refusal(init({ handle: third.handle }))).toEqual([401, 'SESSION_REVOKED']);
  });

  it('of another site of the same widget, of another widget or of nobody is none', async () => {
    await allow(origin, 'https://second.example');
    const first = await init();
    const elsewhere = await init({ handle: first.handle, origin: 'https://second.example' });
    expect(elsewhere).toMatchObject({ origin: 'https://second.example' });
    expect(elsewhere.visitorId).not.toBe(first.visitorId);
    instance = await app.activate(home.person, home.project);
    await app.settle(instance);
    await allow(origin);
    const other = await init({ handle: first.handle, widgetKey: await keyOf(instance) });
    expect(other.visitorId).not.toBe(first.visitorId);
    expect((await init({ handle: 'A'.repeat(43) })).visitorId).not.toBe(first.visitorId);
    expect(await init({ handle: first.handle })).toMatchObject({ visitorId: first.visitorId });
  });

  it('ends its session, once and again, and whatever handle it is', async () => {
    const first = await init();
    await end(first.handle);
    await end(first.handle);
    await end('nothing');
    expect(await refusal(verify(first))).toEqual([401, 'SESSION_REVOKED']);
    expect(await refusal(init({ handle: first.handle }))).toEqual([401, 'SESSION_REVOKED']);
  });

  it('of a session unused for 30 days is none, and the session goes', async () => {
    const first = await init();
    await app.rows("update widget_session set used_at = now() - interval '31 days' where id = $1", [
      first.sessionId,
    ]);
    expect(await refusal(verify(first))).toEqual([401, 'SESSION_REVOKED']);
    expect((await init({ handle: first.handle })).visitorId).not.toBe(first.visitorId);
    const sweep = () => app.database.transaction(systemScope('test'), (tx) => deleteOldSessions(tx, 10));
    expect([await sweep(), await sweep()]).toEqual([1, 0]);
    expect(await everything()).toHaveLength(1);
  });
});

describe('who a visitor is', () => {
  async function vouching() {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
    const { errors } = await change('instanceWidgetKeysSet', { instanceId: instance, identityKeys: [jwk] });
    expect(errors).toBeUndefined();
    return {
      jwk,
      vouch: (sub: string, key = widgetKey) =>
        new SignJWT({ sub, aud: key })
          .setProtectedHeader({ alg: 'ES256', kid: 'k' })
          .setIssuedAt()
          .setExpirationTime('10m')
          .sign(privateKey),
    };
  }

  it("is the same on every device by the site's word, and another one for each person", async () => {
    const { vouch } = await vouching();
    const phone = await init({ identity: await vouch('anna') });
    const laptop = await init({ identity: await vouch('anna') });
    const other = await init({ identity: await vouch('ben') });
    expect(phone.identified).toBe(true);
    expect(laptop.visitorId).toBe(phone.visitorId);
    expect(laptop.sessionId).not.toBe(phone.sessionId);
    expect(other.visitorId).not.toBe(phone.visitorId);
    expect(await init({ handle: phone.handle })).toMatchObject({
      visitorId: phone.visitorId,
      identified: true,
    });
    expect(JSON.stringify(await app.rows('select * from widget_visitor'))).not.toContain('anna');
  });

  it('changes with the word: who was nobody in particular begins anew', async () => {
    const { vouch } = await vouching();
    const nobody = await init();
    const anna = await init({ handle: nobody.handle, identity: await vouch('anna') });
    expect(anna.visitorId).not.toBe(nobody.visitorId);
    const again = await init({ handle: anna.handle, identity: await vouch('anna') });
    expect(again).toMatchObject({ sessionId: anna.sessionId, visitorId: anna.visitorId });
  });

  it('is not what a word says that does not hold, and the handle is not used up', async () => {
    const { vouch } = await vouching();
    const { handle, visitorId } = await init();
    const asked = init({ handle, identity: await vouch('anna', 'wk_another') });
    expect(await refusal(asked)).toEqual([401, 'IDENTITY_INVALID']);
    await age(61);
    expect(await init({ handle })).toMatchObject({ visitorId });
  });
});

describe('the people of an instance', () => {
  it('set its keys and read them back, and a fault changes nothing', async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
    await change('instanceWidgetKeysSet', { instanceId: instance, identityKeys: [jwk] });
    const secret = { ...(await exportJWK(privateKey)), kid: 'k' };
    expect(
      await change('instanceWidgetKeysSet', { instanceId: instance, identityKeys: [secret] }),
    ).toMatchObject({
      data: {
        instanceWidgetKeysSet: {
          instance: null,
          errors: [{ code: 'INVALID_IDENTITY_KEY', field: 'identityKeys' }],
        },
      },
    });
    expect((await read())!.widget.identityKeys).toEqual([{ ...jwk, alg: 'EdDSA', use: 'sig' }]);
  });

  it('see how many talk and where, and end all of it with a new key', async () => {
    const [kept, ended] = [await init(), await init()];
    await end(ended.handle);
    expect((await read())!.widget).toMatchObject({
      key: widgetKey,
      activeSessions: 1,
      lastOrigins: [origin],
    });
    const { data } = await change('instanceWidgetRevoke', { instanceId: instance });
    const next = await keyOf(instance);
    expect(data).toMatchObject({
      instanceWidgetRevoke: { errors: [], instance: { widget: { key: next, activeSessions: 0 } } },
    });
    expect(next).toMatch(/^wk_[0-9A-Za-z]{22}$/);
    expect(await refusal(init())).toEqual([404, 'WIDGET_NOT_FOUND']);
    expect(await refusal(verify(kept))).toEqual([401, 'SESSION_REVOKED']);
    expect(await refusal(init({ widgetKey: next, handle: kept.handle }))).toEqual([401, 'SESSION_REVOKED']);
    expect(await init({ widgetKey: next })).toMatchObject({ instanceId: kept.instanceId });
  });

  it.each(['instanceWidgetRevoke', 'instanceWidgetKeysSet'])('are asked for by %s', async (name) => {
    const input = { instanceId: instance, ...(name === 'instanceWidgetKeysSet' ? { identityKeys: [] } : {}) };
    const stranger = (await app.withWorkspace()).person;
    for (const id of [instance, nowhere('Instance'), 'x'])
      expect((await change(name, { ...input, instanceId: id }, stranger)).data).toMatchObject({
        [name]: { instance: null, errors: [{ code: 'INSTANCE_NOT_FOUND' }] },
      });
    const reader = apiKeyCaller(home.organizationId, 'instance:read');
    expect((await change(name, input, reader)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(await keyOf(instance)).toBe(widgetKey);
    expect(await read(instance, stranger)).toBeNull();
  });

  it('have a key of their own for each instance', async () => {
    const keys = await app.rows<{ widget_key: string }>(
      'select new_widget_key() as widget_key from generate_series(1, 500)',
    );
    expect(new Set(keys.map((row) => row.widget_key)).size).toBe(500);
    expect(keys.every((row) => /^wk_[0-9A-Za-z]{22}$/.test(row.widget_key))).toBe(true);
  });
});

it.each(['init', 'verify', 'end'])('only the router may ask for :%s', async (verb) => {
  const asked = app.clientWith('callers:resolve').call('POST', `/internal/widget-sessions:${verb}`, {});
  expect(await refusal(asked)).toEqual([403, 'FORBIDDEN']);
});
