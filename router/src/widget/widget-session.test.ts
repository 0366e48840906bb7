import http from 'node:http';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRouter, type TestRouter } from '../testing/open-router.ts';
import { sessionOf, site } from '../testing/visitors.ts';

const path = '/v1/widget/session:init';
let router: TestRouter;
beforeAll(async () => {
  router = await openRouter();
  router.controlPlane.widgets.sessions.set('wk_good', sessionOf());
});

const post = (
  to: { origin: string },
  body: unknown,
  { at = path, ...headers }: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${to.origin}${at}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: site, ...headers },
    body: JSON.stringify(body),
  });
const problemIn = async (answer: Response) => ({
  status: answer.status,
  allowed: answer.headers.get('access-control-allow-origin'),
  ...((await answer.json()) as { code: string; branding?: object }),
});

describe('session:init', () => {
  it('gives a page a token for the visitor, and what it needs to connect and to look right', async () => {
    const session = sessionOf({ handle: 'next' });
    router.controlPlane.widgets.sessions.set('wk_mine', session);
    const answer = await post(router, { widgetKey: 'wk_mine', handle: 'last', identity: 'a.b.c' });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': site,
      'cache-control': 'no-store',
      vary: 'Origin',
    });
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
    const body = (await answer.json()) as { token: string };
    expect(body).toEqual({
      token: expect.any(String) as string,
      expiresIn: 600,
      handle: 'next',
      visitorId: session.visitorId,
      identified: false,
      instanceId: Buffer.from(`Instance:${session.instanceId}`).toString('base64url'),
      graphqlUrl: 'wss://store.test/graphql',
      branding: session.branding,
      limits: { inputCharacters: 100, attachmentBytes: 200 },
    });
    const { sessionId, visitorId, instanceId, organizationId, origin, spendCap } = session;
    const claims = decodeJwt(body.token);
    expect(claims['grant']).toEqual({
      sessionId,
      visitorId,
      instanceId,
      organizationId,
      origin,
      spendCap,
      showToolSteps: true,
    });
    expect(claims.exp! - claims.iat!).toBe(600);
    expect(router.controlPlane.widgets.asked.at(-1)).toEqual({
      verb: 'init',
      widgetKey: 'wk_mine',
      handle: 'last',
      identity: 'a.b.c',
      origin: site,
    });
  });

  it.each([
    'null',
    '',
    'shop.example',
    `${site}/`,
    `${site}, ${site}`,
    'file://',
    'https://Shop.example',
    'chrome-extension://abc',
  ])('with the Origin %j is refused before anything is asked', async (origin) => {
    const before = router.controlPlane.widgets.asked.length;
    expect(await problemIn(await post(router, { widgetKey: 'wk_good' }, { origin }))).toMatchObject({
      status: 403,
      code: 'ORIGIN_NOT_ALLOWED',
      allowed: null,
    });
    expect(router.controlPlane.widgets.asked).toHaveLength(before);
  });

  it('with two Origins or none is refused', async () => {
    const send = (origins: string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = http.request(
          `${router.origin}${path}`,
          {
            method: 'POST',
            headers: [
              'host',
              'x',
              'content-type',
              'application/json',
              ...origins.flatMap((one) => ['origin', one]),
            ] as never,
          },
          (answer) => resolve(answer.resume().statusCode),
        );
        asked.on('error', reject).end(JSON.stringify({ widgetKey: 'wk_good' }));
      });
    expect([await send([site, site]), await send([]), await send([site])]).toEqual([403, 403, 200]);
  });

  it.each<[string, unknown, Record<string, string>]>([
    ['no key', {}, {}],
    ['a key that is none', { widgetKey: 7 }, {}],
    ['a key too long', { widgetKey: 'w'.repeat(101) }, {}],
    ['a handle that is none', { widgetKey: 'wk_good', handle: {} }, {}],
    ['an identity too long', { widgetKey: 'wk_good', identity: 'i'.repeat(8_193) }, {}],
    ['another type', { widgetKey: 'wk_good' }, { 'content-type': 'text/plain' }],
    ['nothing', null, {}],
  ])('with %s is BAD_USER_INPUT', async (_what, body, headers) =>
    expect(await problemIn(await post(router, body, headers))).toMatchObject({
      status: 400,
      code: 'BAD_USER_INPUT',
      allowed: site,
    }),
  );

  it.each([
    [404, 'WIDGET_NOT_FOUND'],
    [403, 'ORIGIN_NOT_ALLOWED'],
    [401, 'SESSION_REVOKED'],
    [401, 'IDENTITY_INVALID'],
    [409, 'INSTANCE_PAUSED'],
    [409, 'INSTANCE_NOT_READY'],
  ])('tells the page of %i %s, and how the agent looks', async (status, code) => {
    const { branding } = sessionOf();
    const said = status === 409 ? { branding } : {};
    router.controlPlane.widgets.sessions.set('wk_refused', { status, code, title: 'no', ...said });
    const problem = await problemIn(await post(router, { widgetKey: 'wk_refused' }));
    expect(problem).toMatchObject({ status, code, title: 'no', allowed: site });
    expect(problem.branding).toEqual(status === 409 ? branding : undefined);
  });

  it.each([
    [{ status: 500, code: 'INTERNAL', title: 'fault' }, 503, 'UNAVAILABLE', '2'],
    [{ status: 403, code: 'FORBIDDEN', title: 'our own fault' }, 500, 'INTERNAL', null],
  ])('says %j in a way that a page may read', async (fault, status, code, retryAfter) => {
    router.controlPlane.widgets.sessions.set('wk_fault', fault);
    const answer = await post(router, { widgetKey: 'wk_fault' });
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
    expect(await problemIn(answer)).toMatchObject({ status, code, allowed: site });
  });
});

it.each([path, '/v1/widget/session:end'])(
  '%s is asked for first, which browsers need not repeat for 10 minutes',
  async (at) => {
    const ask = (origin: string) =>
      fetch(`${router.origin}${at}`, { method: 'OPTIONS', headers: { origin } });
    const answer = await ask(site);
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': site,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expect((await ask('null')).headers.has('access-control-allow-origin')).toBe(false);
  },
);

it('session:end ends a session, for the page of its site', async () => {
  const answer = await post(router, { handle: 'mine' }, { at: '/v1/widget/session:end' });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, site]);
  expect(router.controlPlane.widgets.asked.at(-1)).toEqual({ verb: 'end', handle: 'mine' });
  expect((await post(router, {}, { at: '/v1/widget/session:end' })).status).toBe(400);
});

describe('whoever asks too often waits', () => {
  const generous = { address: 1_000, key: 1_000, visitor: 1_000 };
  const open = async (limits: Partial<typeof generous>, proxies = 0) => {
    const limited = await openRouter({ widget: { initsPerMinute: { ...generous, ...limits }, proxies } });
    for (const key of ['wk_a', 'wk_b'])
      limited.controlPlane.widgets.sessions.set(key, sessionOf({ handle: `next of ${key}` }));
    return limited;
  };
  const statuses = async (...asked: Promise<Response>[]) =>
    (await Promise.all(asked)).map(({ status }) => status);

  it('an address, over all widgets, and is told how long', async () => {
    const limited = await open({ address: 2 });
    expect(
      await statuses(post(limited, { widgetKey: 'wk_a' }), post(limited, { widgetKey: 'wk_b' })),
    ).toEqual([200, 200]);
    const answer = await post(limited, { widgetKey: 'wk_a' }, { 'x-forwarded-for': '203.0.113.9' });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(answer.headers.get('access-control-expose-headers')).toBe('Retry-After');
    expect(await problemIn(answer)).toMatchObject({ status: 429, code: 'RATE_LIMITED', allowed: site });
    expect((await post(limited, { handle: 'h' }, { at: '/v1/widget/session:end' })).status).toBe(429);
  });

  it('an address behind our own proxy', async () => {
    const limited = await open({ address: 1 }, 1);
    const from = (forwarded: string) =>
      post(limited, { widgetKey: 'wk_a' }, { 'x-forwarded-for': forwarded });
    expect([(await from('203.0.113.9')).status, (await from('203.0.113.10')).status]).toEqual([200, 200]);
    expect((await from('1.1.1.1, 203.0.113.9')).status).toBe(429);
  });

  it('a widget', async () => {
    const limited = await open({ key: 1 });
    expect((await post(limited, { widgetKey: 'wk_a' })).status).toBe(200);
    expect((await post(limited, { widgetKey: 'wk_a' })).status).toBe(429);
    expect((await post(limited, { widgetKey: 'wk_b' })).status).toBe(200);
  });

  it('a visitor, by whatever handle they have by now', async () => {
    const limited = await open({ visitor: 2 });
    const ask = async (handle: string) => (await post(limited, { widgetKey: 'wk_a', handle })).status;
    expect([await ask('first'), await ask('next of wk_a'), await ask('next of wk_a')]).toEqual([
      200, 200, 429,
    ]);
    expect(await ask('of somebody else')).toBe(200);
  });
});
