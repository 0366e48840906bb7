import v8 from 'node:v8';
import vm from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { openRouter, type TestRouter } from '../testing/open-router.ts';
import { createRuns } from '../testing/runs.ts';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;
const runs = createRuns();
let router: TestRouter;
let token: string;
const organizationId = uuidv7();
const instance = {
  active: uuidv7(),
  paused: uuidv7(),
  terminated: uuidv7(),
  foreign: uuidv7(),
  unapplied: uuidv7(),
};
const idOf = (which: keyof typeof instance) => toGlobalId('Instance', instance[which]);
beforeAll(async () => {
  router = await openRouter({ more: { runs } });
  token = await router.issuer.token();
  router.controlPlane.people.set('subject-1', {
    userId: uuidv7(),
    saleorUserId: null,
    memberships: [{ organizationId, role: 'MEMBER' }],
  });
  router.gitops.apply(instance.active, organizationId, 'Active');
  router.gitops.apply(instance.paused, organizationId, 'Paused');
  router.gitops.apply(instance.terminated, organizationId, 'Terminated');
  router.gitops.apply(instance.foreign, uuidv7(), 'Paused');
});

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly text: string;
}
async function send(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const answer = await fetch(`${router.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}
const start = (input: string, headers?: Record<string, string>, which: keyof typeof instance = 'active') =>
  send('POST', '/v1/runs', { instanceId: idOf(which), input }, headers);

describe('POST /v1/runs', () => {
  it('answers the run when it has ended', async () => {
    const { status, headers, body } = await start('hello', { 'idempotency-key': 'k1' });
    expect(status).toBe(200);
    expect(headers.get('location')).toBe('/v1/runs/k1');
    expect(body).toMatchObject({ id: 'k1', state: 'SUCCEEDED', charge: '1500' });
    expect(runs.started.at(-1)).toMatchObject({ idempotencyKey: 'k1', instanceId: idOf('active') });
  });

  it('answers at once where to look when asked to', async () => {
    const { status, headers, body } = await start('hello', {
      'idempotency-key': 'k2',
      prefer: 'respond-async',
    });
    expect([status, headers.get('location'), headers.get('preference-applied')]).toEqual([
      202,
      '/v1/runs/k2',
      'respond-async',
    ]);
    expect(body).toEqual({ id: 'k2', state: 'QUEUED' });
  });

  it('streams events, and goes on after Last-Event-ID under the same key', async () => {
    const accept = { accept: 'text/event-stream', 'idempotency-key': 'k3' };
    const events = async (headers: Record<string, string>) =>
      (await start('hello', headers)).text.split('\n\n').filter((block) => block.startsWith('id:'));
    const all = await events(accept);
    expect(all.map((event) => event.split('\n').slice(0, 2))).toEqual([
      ['id: 1', 'event: RunStarted'],
      ['id: 2', 'event: TextMessageContent'],
      ['id: 3', 'event: RunFinished'],
    ]);
    expect(await events({ ...accept, 'last-event-id': '2' })).toEqual(all.slice(2));
    expect((await start('hello', { ...accept, 'last-event-id': 'two' })).body).toMatchObject({
      status: 400,
      code: 'BAD_USER_INPUT',
    });
  });

  it('answers a run that was started with where it is, whatever is lost afterwards', async () => {
    for (const key of ['refused-1', 'lost-1']) {
      const { status, headers, body } = await start('hello', { 'idempotency-key': key });
      expect([status, headers.get('location'), headers.get('retry-after')]).toEqual([
        202,
        `/v1/runs/${key}`,
        null,
      ]);
      expect(body).toEqual({ id: key, state: 'QUEUED' });
    }
    const broken = await start('hello', { 'idempotency-key': 'lost-2', accept: 'text/event-stream' });
    expect(broken.headers.get('location')).toBe('/v1/runs/lost-2');
    expect(broken.text).toMatch(/id: 1\n[^]*event: error\ndata: \{"code":"UNAVAILABLE"\}\n\n$/);
  });

  it('answers the run without what its part of the store cannot say now', async () => {
    const { status, body } = await start('hello', { 'idempotency-key': 'unbilled' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'unbilled', state: 'SUCCEEDED', charge: null });
    expect((await send('GET', '/v1/runs/unbilled')).body).toMatchObject({
      output: 'echo read',
      charge: null,
    });
  });

  it('invites to repeat a command only where that does not do it twice', async () => {
    const keyless = await start('throw UNAVAILABLE');
    expect([keyless.status, keyless.headers.get('retry-after')]).toEqual([503, null]);
    expect(keyless.body).toMatchObject({
      code: 'UNAVAILABLE',
      idempotencyKey: runs.started.at(-1)!['idempotencyKey'],
    });
    const keyed = await start('throw UNAVAILABLE', { 'idempotency-key': 'again' });
    expect([keyed.status, keyed.headers.get('retry-after')]).toEqual([503, '2']);
    expect(keyed.body).not.toHaveProperty('idempotencyKey');
  });

  it('takes a key that it can keep, in the header as in the body', async () => {
    const before = runs.started.length;
    for (const key of ['', 'k'.repeat(201)])
      expect((await start('hello', { 'idempotency-key': key })).body).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        faults: [{ member: 'Idempotency-Key' }],
      });
    expect(runs.started.length).toBe(before);
  });

  it.each<[string, number, string]>([
    ['refuse INSUFFICIENT_CREDITS', 402, 'INSUFFICIENT_CREDITS'],
    ['refuse WALLET_FROZEN', 423, 'WALLET_FROZEN'],
    ['refuse INSTANCE_NOT_ACTIVE', 409, 'INSTANCE_NOT_ACTIVE'],
    ['refuse IDEMPOTENCY_CONFLICT', 409, 'IDEMPOTENCY_CONFLICT'],
    ['refuse NOT_PRICED', 409, 'NOT_PRICED'],
    ['refuse CONVERSATION_NOT_FOUND', 404, 'CONVERSATION_NOT_FOUND'],
    ['refuse TOO_MANY_RUNS', 429, 'TOO_MANY_RUNS'],
    ['throw FORBIDDEN', 403, 'FORBIDDEN'],
    ['throw UNAVAILABLE', 503, 'UNAVAILABLE'],
  ])('answers a problem with the code of the graph: %s', async (input, status, code) => {
    const answer = await start(input, { 'idempotency-key': input });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect([answer.status, answer.body['status'], answer.body['code']]).toEqual([status, status, code]);
    expect(answer.headers.has('retry-after')).toBe(status === 429 || status === 503);
  });

  it('says what is missing', async () =>
    expect((await start('refuse INSUFFICIENT_CREDITS')).body).toMatchObject({
      required: '9',
      available: '2',
      missing: '7',
    }));

  it('obeys what is applied, at both addresses', async () => {
    const own = (which: keyof typeof instance) =>
      send('POST', `/v1/instances/${idOf(which)}/runs`, { input: 'hi' });
    const before = runs.started.length;
    for (const answer of [await start('hi', {}, 'paused'), await own('paused')]) {
      expect(answer.body).toMatchObject({ status: 503, code: 'INSTANCE_PAUSED', reason: 'Paused' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const answer of [
      await start('hi', {}, 'terminated'),
      await own('terminated'),
      await send('POST', '/v1/instances/nothing/runs', { input: 'hi' }),
    ])
      expect(answer.body).toMatchObject({ status: 404, code: 'INSTANCE_NOT_FOUND' });
    expect(runs.started.length).toBe(before);
    expect((await own('active')).status).toBe(200);
  });

  it('leaves to the graph what is not applied or not theirs: a stranger learns nothing of a pause', async () => {
    for (const which of ['unapplied', 'foreign'] as const)
      expect((await start('refuse INSTANCE_NOT_FOUND', {}, which)).body).toMatchObject({
        status: 404,
        code: 'INSTANCE_NOT_FOUND',
      });
  });

  it('names the faults of a body', async () => {
    expect((await send('POST', '/v1/runs', { instanceId: 5 })).body).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
      faults: [{ member: 'input' }, { member: 'instanceId' }],
    });
    expect((await send('POST', '/v1/runs')).status).toBe(400);
  });
});

it('reads, follows and cancels runs', async () => {
  expect((await send('GET', '/v1/runs/r1')).body).toMatchObject({ id: 'r1' });
  expect((await send('GET', '/v1/runs/none')).body).toMatchObject({ status: 404, code: 'RUN_NOT_FOUND' });
  expect((await send('GET', '/v1/runs/r1/events?after=2')).text).toMatch(/^:\n\nid: 3\n/);
  expect((await send('GET', '/v1/runs/none/events')).body).toMatchObject({
    status: 404,
    code: 'RUN_NOT_FOUND',
  });
  expect((await send('POST', '/v1/runs/r1:cancel')).body).toEqual({ id: 'r1', state: 'CANCELLING' });
  expect((await send('POST', '/v1/runs/none:cancel')).body).toMatchObject({
    status: 404,
    code: 'RUN_NOT_FOUND',
  });
  expect((await send('POST', '/v1/runs/r1:explode')).status).toBe(404);
});

describe('a reader of a quiet run', () => {
  const leaving = (method: string, path: string, accept: string, body?: BodyInit) => {
    const left = new AbortController();
    const answer = fetch(`${router.origin}${path}`, {
      method,
      signal: left.signal,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept },
      ...(body ? { body, duplex: 'half' } : {}),
    } as RequestInit);
    return { answer, leave: () => left.abort() };
  };
  const body = (key: string) =>
    JSON.stringify({ instanceId: idOf('active'), input: 'hi', idempotencyKey: key });
  const chunked = (key: string) => new Blob([body(key)]).stream();

  it('has the headers of the stream before there is an event', async () => {
    const { answer, leave } = leaving('GET', '/v1/runs/quiet-0/events', 'text/event-stream');
    expect((await answer).status).toBe(200);
    leave();
    await runs.waitFor(0);
  });

  it.each<[string, () => ReturnType<typeof leaving>]>([
    ['follows it', () => leaving('GET', '/v1/runs/quiet-1/events', 'text/event-stream')],
    ['streams it', () => leaving('POST', '/v1/runs', 'text/event-stream', body('quiet-2'))],
    [
      'streams it, asked in chunks',
      () => leaving('POST', '/v1/runs', 'text/event-stream', chunked('quiet-3')),
    ],
    ['waits for it', () => leaving('POST', '/v1/runs', 'application/json', body('quiet-4'))],
    [
      'waits for it, asked in chunks',
      () => leaving('POST', '/v1/runs', 'application/json', chunked('quiet-5')),
    ],
  ])('who %s and leaves ends it upstream', async (_name, open) => {
    const { answer, leave } = open();
    const settled = answer.catch(() => undefined);
    await runs.waitFor(1);
    collectGarbage(); // a signal must not die with the request that carries it
    leave();
    await settled;
    await expect(runs.waitFor(0)).resolves.toBeUndefined();
  });
});

it('makes workspaces and trial instances', async () => {
  expect((await send('POST', '/v1/workspaces/auto')).body).toMatchObject({
    organization: { slug: 'o' },
    project: { slug: 'p' },
  });
  const made = await send('POST', '/v1/instances/autoActivate', { projectId: 'p1', offeringSlug: 's' });
  expect([made.status, made.body['state']]).toEqual([201, 'REQUESTED']);
  expect(
    (await send('POST', '/v1/instances/autoActivate', { projectId: 'none', offeringSlug: 's' })).status,
  ).toBe(404);
});

it('wants to know who asks', async () => {
  for (const path of ['/v1/workspaces/auto', '/v1/runs', '/v1/runs/r1:cancel'])
    expect((await send('POST', path, {}, { authorization: '' })).body).toMatchObject({
      status: 401,
      code: 'UNAUTHENTICATED',
    });
});

it('describes itself', async () => {
  const { body } = await send('GET', '/v1/openapi.json');
  expect(Object.keys(body['paths'] as object)).toEqual(
    expect.arrayContaining([
      '/v1/runs',
      '/v1/runs/{id}:cancel',
      '/v1/kb/{kbId}/uploads:init',
      '/v1/kb/{kbId}:ingest',
      '/v1/workspaces/auto',
      '/v1/instances/autoActivate',
    ]),
  );
  expect((await send('GET', '/')).body).toMatchObject({ graphql: 'https://store.test/graphql' });
  expect((await send('GET', '/health')).status).toBe(200);
  expect((await send('GET', '/nothing')).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
});
