import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { widgetTokenSigner, type WidgetGrant } from '@agentstore/kernel/auth/widget-token';
import { codesOf, openRouter, type TestRouter } from '../testing/open-router.ts';
import { createRuns } from '../testing/runs.ts';
import { grantOf, site } from '../testing/visitors.ts';

const recheckMs = 300;
const runs = createRuns();
let router: TestRouter;
beforeAll(async () => {
  router = await openRouter({
    more: { runs: { sdl: runs.sdl, fetch: runs.fetch } },
    deps: { streams: { recheckMs, silenceMs: 45_000 } },
  });
});

const tokenOf = (more: Partial<WidgetGrant> = {}, seconds = 600) => router.signToken(grantOf(more), seconds);
const headersFrom = (origin: string) => ({ origin });
const run = '{ run(id: "r") { id output } }';
const revoke = (sessionId: string, code = 'SESSION_REVOKED', status = 401) =>
  router.controlPlane.widgets.faults.set(sessionId, { status, code, title: 'no' });
/** A token that is new to the router's cache, whose session can be ended. */
async function visitor(more: Partial<WidgetGrant> = {}, seconds = 600) {
  const grant = grantOf(more);
  return { grant, token: await router.signToken(grant, seconds) };
}
/** How a connection ends whose connection_init has this token; `onAck` is called when it is accepted. */
const closing = (token: string, options: { origin?: string; onAck?: () => void } = {}) =>
  new Promise<{ code: number; reason: string; acknowledged: boolean }>((resolve, reject) => {
    const { origin = site, onAck } = options;
    let acknowledged = false;
    const socket = new WebSocket(
      router.graphqlUrl.replace('http', 'ws'),
      'graphql-transport-ws',
      origin ? { origin } : {},
    );
    socket
      .on('open', () =>
        socket.send(
          JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }),
        ),
      )
      .on('message', (data: Buffer) => {
        if ((JSON.parse(data.toString()) as { type: string }).type !== 'connection_ack') return;
        acknowledged = true;
        onAck?.();
      })
      .on('close', (code, reason) => resolve({ code, reason: reason.toString(), acknowledged }))
      .on('error', reject);
  });

describe("a visitor's token over HTTP", () => {
  it('is who it says, on its own site', async () => {
    const { grant, token } = await visitor();
    const { data } = await router.ask(run, { token, headers: headersFrom(site) });
    expect(data).toEqual({ run: { id: 'r', output: 'echo read' } });
    expect(router.controlPlane.widgets.asked.at(-1)).toEqual({ verb: 'verify', sessionId: grant.sessionId });
  });

  it('is asked for once in a while, however often it comes', async () => {
    const { grant, token } = await visitor();
    for (let n = 0; n < 5; n++) await router.ask(run, { token, headers: headersFrom(site) });
    const verified = router.controlPlane.widgets.asked.filter((one) => one['sessionId'] === grant.sessionId);
    expect(verified).toHaveLength(1);
  });

  it.each<[string, string | undefined]>([
    ['another site', 'https://evil.example'],
    ['a site below', 'https://a.shop.example'],
    ['another port', `${site}:8443`],
    ['another scheme', 'http://shop.example'],
    ['nowhere', 'null'],
    ['a program', undefined],
  ])('from %s is UNAUTHENTICATED, also when it was just seen on its own', async (_what, origin) => {
    const { token } = await visitor();
    await router.ask(run, { token, headers: headersFrom(site) });
    const answer = await router.ask(run, { token, headers: origin === undefined ? {} : headersFrom(origin) });
    expect([answer.status, ...codesOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.errors![0]!.message).toMatch(/another site/);
  });

  it('of a site whose host is written with a dot at its end is its own', async () => {
    const { token } = await visitor();
    expect((await router.ask(run, { token, headers: headersFrom(`${site}.`) })).status).toBe(200);
  });

  it.each([
    ['SESSION_REVOKED', 401, /was ended/],
    ['INSTANCE_PAUSED', 409, /paused/],
  ])('whose session is %s is UNAUTHENTICATED', async (code, status, reason) => {
    const { grant, token } = await visitor();
    revoke(grant.sessionId, code, status);
    const answer = await router.ask(run, { token, headers: headersFrom(site) });
    expect([answer.status, ...codesOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.errors![0]!.message).toMatch(reason);
  });

  it('that cannot be asked about now is 503, not refused', async () => {
    const { grant, token } = await visitor();
    revoke(grant.sessionId, 'NOT_READY', 503);
    expect((await router.ask(run, { token, headers: headersFrom(site) })).status).toBe(503);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'of another key',
      async () => {
        const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
        const sign = await widgetTokenSigner({ ...(await exportJWK(privateKey)), kid: 'test' });
        return sign(grantOf(), 600);
      },
      /not valid/,
    ],
    [
      'signed with a secret',
      () =>
        new SignJWT({ grant: grantOf() })
          .setProtectedHeader({ alg: 'HS256', typ: 'agentstore-widget+jwt', kid: 'test' })
          .setIssuer('agentstore-router')
          .setAudience('agentstore-widget')
          .setSubject('s')
          .setJti('j')
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode('x'.repeat(32))),
      /not valid/,
    ],
  ])('%s is UNAUTHENTICATED', async (_what, made, reason) => {
    const answer = await router.ask(run, { token: await made(), headers: headersFrom(site) });
    expect([answer.status, ...codesOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.errors![0]!.message).toMatch(reason);
  });
});

describe('a visitor may ask for', () => {
  const start =
    'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code } } }';

  it('a run, and its own words', async () => {
    const token = await tokenOf();
    const input = { instanceId: 'i', input: 'hello', idempotencyKey: 'k' };
    const { data } = await router.ask(start, { token, headers: headersFrom(site), variables: { input } });
    expect(data).toEqual({ runStart: { run: { id: 'k' }, errors: [] } });
    expect((await router.ask('{ __typename }', { token, headers: headersFrom(site) })).data).toEqual({
      __typename: 'Query',
    });
  });

  it.each([
    ['a field of others', '{ reviews }'],
    ['a field of the shop', '{ shop { name } }'],
    ['the schema', '{ __schema { queryType { name } } }'],
    ['a type', '{ __type(name: "Run") { name } }'],
    ['it beside what is open', '{ run(id: "r") { id } reviews }'],
    ['it under another name', '{ run: reviews }'],
    ['it in a fragment', '{ ...f } fragment f on Query { reviews }'],
    ['it in two fragments', '{ ... { ...f } } fragment f on Query { ... on Query { reviews } }'],
    ['another command', 'mutation { bookAdd(id: "1") { id } }'],
    ['a workspace', 'mutation { workspaceAuto(input: {}) { errors { code } } }'],
  ])('not for %s, over HTTP and WebSocket alike', async (_what, query) => {
    const token = await tokenOf();
    const answer = await router.ask(query, {
      token,
      headers: { ...headersFrom(site), accept: 'application/graphql-response+json' },
    });
    expect([answer.status, ...codesOf(answer)]).toEqual([403, 'FORBIDDEN']);
    const events = router.socket({ authorization: `Bearer ${token}` }, site).iterate({ query });
    expect(codesOf((await events.next()).value as never)).toEqual(['FORBIDDEN']);
  });

  it('not for another subscription, as server-sent events', async () => {
    const answer = await fetch(router.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${await tokenOf()}`,
        origin: site,
      },
      body: JSON.stringify({ query: 'subscription { bookTold { id } }' }),
    });
    expect(await answer.text()).toContain('"code":"FORBIDDEN"');
  });

  it.each([
    ['POST', '/v1/runs'],
    ['GET', '/v1/runs/r'],
    ['GET', '/v1/runs/r/events'],
    ['POST', '/v1/runs/r:cancel'],
    ['POST', '/v1/workspaces/auto'],
  ])('not for %s %s', async (method, path) => {
    const answer = await fetch(`${router.origin}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokenOf()}`,
        origin: site,
        'content-type': 'application/json',
      },
      ...(method === 'POST' ? { body: JSON.stringify({ instanceId: 'i', input: 'x' }) } : {}),
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('not for what people may see of themselves', async () => {
    const headers = { authorization: `Bearer ${await tokenOf()}`, origin: site };
    expect((await fetch(`${router.origin}/oidc/userinfo`, { headers })).status).toBe(401);
  });
});

describe("a visitor's connection", () => {
  it('carries the events of a run', async () => {
    const events = router
      .socket({ authorization: `Bearer ${await tokenOf()}` }, site)
      .iterate({ query: 'subscription { runEvents(runId: "r", after: 1) { seq } }' });
    const seen: unknown[] = [];
    for await (const { data } of events) seen.push(data);
    expect(seen).toEqual([{ runEvents: { seq: 2 } }, { runEvents: { seq: 3 } }]);
  });

  it.each<[string, string]>([
    ['of another site', 'https://evil.example'],
    ['of no site', ''],
  ])('from a page %s is closed with 4403', async (_what, origin) =>
    expect(await closing(await tokenOf(), { origin })).toMatchObject({ code: 4403, acknowledged: false }),
  );

  it('with a token that is none is closed with 4403', async () => {
    const token = `${(await tokenOf()).slice(0, -8)}AAAAAAAA`;
    expect(await closing(token)).toEqual({ code: 4403, reason: 'Session expired', acknowledged: false });
  });

  it('of a session that was ended before is closed with 4401, of a paused instance with 4403', async () => {
    const [ended, paused] = [await visitor(), await visitor()];
    revoke(ended.grant.sessionId);
    revoke(paused.grant.sessionId, 'INSTANCE_PAUSED', 409);
    expect(await closing(ended.token)).toEqual({
      code: 4401,
      reason: 'Session revoked',
      acknowledged: false,
    });
    expect(await closing(paused.token)).toMatchObject({ code: 4403, acknowledged: false });
  });

  it('is closed with 4401 when its session ends, although nothing comes over it', async () => {
    const { grant, token } = await visitor();
    const ended = closing(token, { onAck: () => revoke(grant.sessionId) });
    expect(await ended).toEqual({ code: 4401, reason: 'Session revoked', acknowledged: true });
  });

  it('is closed with 4403 when its token ends', async () => {
    const { token } = await visitor({}, 1);
    expect(await closing(token)).toMatchObject({ code: 4403, reason: 'Session expired' });
  });

  it('stays while nobody can be asked about it', async () => {
    const { grant, token } = await visitor();
    let asked = 0;
    const ended = closing(token, { onAck: () => revoke(grant.sessionId, 'NOT_READY', 503) });
    while (asked < 3) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      asked = router.controlPlane.widgets.asked.filter((one) => one['sessionId'] === grant.sessionId).length;
    }
    revoke(grant.sessionId);
    expect(await ended).toMatchObject({ code: 4401 });
  });
});
