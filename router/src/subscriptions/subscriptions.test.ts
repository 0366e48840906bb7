import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionResult } from 'graphql';
import { QueryPlanner } from '@apollo/query-planner';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { uuidv7 } from '@agentstore/kernel/ids';
import { openRouter, type TestRouter } from '../testing/open-router.ts';

const joined = 'subscription { bookTold { title rating rater product { name } } }';

/** The messages of a GraphQL stream over SSE. */
async function* sse(
  answer: Response,
): AsyncGenerator<{ id?: string; event: string; data: Partial<ExecutionResult> }> {
  let rest = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
      const [event, id, data] = [field('event'), field('id'), field('data')];
      if (event) yield { event, ...(id ? { id } : {}), data: data ? JSON.parse(data) : {} };
    }
  }
}

describe.each(['in-process', 'http'] as const)('subscriptions over %s clients', (transport) => {
  let router: TestRouter;
  let token: string;
  beforeAll(async () => {
    router = await openRouter({ transport });
    token = await router.issuer.token();
  });
  const socket = (params: Record<string, unknown> = { authorization: `Bearer ${token}` }) =>
    router.socket(params);
  const streamed = (
    query: string,
    options: {
      headers?: Record<string, string>;
      signal?: AbortSignal;
      variables?: object;
      operationName?: string;
    } = {},
  ) =>
    fetch(router.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...options.headers,
      },
      body: JSON.stringify({ query, variables: options.variables, operationName: options.operationName }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  const told = { title: 'Title of b7', rating: 2, rater: 'USER', product: { name: 'Product p7' } };

  it('carry fields of other subgraphs over graphql-ws, and end upstream at once when the client leaves', async () => {
    const client = socket();
    const events = client.iterate({ query: joined });
    const first = events.next();
    await router.books.telling.waitFor(1);
    router.books.telling.tell('b7');
    expect((await first).value).toEqual({ data: { bookTold: told } });
    // Another operation keeps the socket open, and upstream has nothing to say.
    const other = client.iterate({ query: 'subscription { bookTold { id } }' }).next();
    other.catch(() => undefined);
    await router.books.telling.waitFor(2);
    const second = events.next();
    await events.return!(undefined);
    await second;
    await router.books.telling.waitFor(1);
    client.terminate();
    await router.books.telling.waitFor(0);
  });

  it('end upstream at once when the connection is cut', async () => {
    const client = socket();
    const first = client.iterate({ query: joined }).next();
    first.catch(() => undefined);
    await router.books.telling.waitFor(1);
    client.terminate();
    await expect(router.books.telling.waitFor(0)).resolves.toBeUndefined();
  });

  it('carry the same over SSE, and end upstream at once when the client leaves', async () => {
    const leaving = new AbortController();
    const events = sse(await streamed(joined, { signal: leaving.signal }));
    await router.books.telling.waitFor(1);
    router.books.telling.tell('b7');
    expect((await events.next()).value).toMatchObject({ event: 'next', data: { data: { bookTold: told } } });
    leaving.abort();
    await router.books.telling.waitFor(0);
  });

  it('have exactly what was asked for', async () => {
    const query =
      'subscription ($r: ID!) { n: noticed(runId: $r, after: 2) { no: seq ... on Told @skip(if: true) { loud } } }';
    const heard: object[] = [];
    for await (const event of socket().iterate({ query, variables: { r: 'r1' } })) heard.push(event);
    expect(heard).toEqual([{ data: { n: { no: 3 } } }, { data: { n: { no: 4 } } }]);
  });

  it('have ids over SSE where events have a seq, and go on after the last one that was seen', async () => {
    const query = 'subscription ($r: ID!) { noticed(runId: $r) { runId seq } }';
    const all = [];
    for await (const event of sse(await streamed(query, { variables: { r: 'r1' } }))) all.push(event);
    expect(all.map(({ id }) => id)).toEqual(['r1:1', 'r1:2', 'r1:3', 'r1:4', undefined]);
    const rest = [];
    const headers = { 'last-event-id': 'r1:3' };
    for await (const event of sse(await streamed(query, { variables: { r: 'r1' }, headers })))
      rest.push(event);
    expect(rest).toEqual(all.slice(3));
    const two =
      'subscription A { noticed(runId: "r1") { runId seq } } subscription B { b: noticed(runId: "r1") { runId seq } }';
    for (const [operationName, name] of [
      ['A', 'noticed'],
      ['B', 'b'],
    ] as const) {
      const heard = [];
      for await (const event of sse(await streamed(two, { headers, operationName }))) heard.push(event);
      expect(heard.map(({ data }) => data)).toEqual([{ data: { [name]: { runId: 'r1', seq: 4 } } }, {}]);
    }
    const other = [];
    for await (const event of sse(await streamed(query, { variables: { r: 'r2' }, headers })))
      other.push(event);
    expect(other.map(({ id }) => id)).toEqual(['r2:1', 'r2:2', 'r2:3', 'r2:4', undefined]);
  });

  it('are refused with the code of the subgraph, or when the root field may not be there', async () => {
    const errorsOf = async (query: string) => (await socket().iterate({ query }).next()).value?.errors;
    expect(await errorsOf('subscription { refusedStream { id } }')).toMatchObject([
      { extensions: { code: 'NOT_FOUND' } },
    ]);
    for (const query of [
      'subscription { bookTold @include(if: true) { id } }',
      'subscription { ...F } fragment F on Subscription { bookTold @skip(if: false) { id } }',
    ])
      expect(await errorsOf(query)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('end with a code when upstream is lost; the socket stays', async () => {
    const client = socket();
    const events = client.iterate({ query: 'subscription { bookTold { title } }' });
    const first = events.next();
    await router.books.telling.waitFor(1);
    router.books.telling.tell(new Error('upstream broke'));
    expect((await first).value).toMatchObject({
      errors: [{ extensions: { code: expect.stringMatching(/INTERNAL|SUBGRAPH_UNAVAILABLE/) } }],
    });
    expect((await client.iterate({ query: '{ reviews }' }).next()).value).toEqual({ data: { reviews: 7 } });
  });

  it('end with the token, over graphql-ws and SSE', async () => {
    const short = await router.issuer.token({ sub: 'short', exp: Math.floor(Date.now() / 1_000) + 6 });
    const overSocket = router
      .socket({ Authorization: `Bearer ${short}` })
      .iterate({ query: joined })
      .next();
    const overSse = sse(await streamed(joined, { headers: { authorization: `Bearer ${short}` } }));
    await router.books.telling.waitFor(2);
    const expired = {
      errors: [{ message: expect.stringContaining('expired'), extensions: { code: 'UNAUTHENTICATED' } }],
    };
    expect((await overSocket).value).toMatchObject(expired);
    expect((await overSse.next()).value).toMatchObject({ data: expired });
    expect((await overSse.next()).value).toMatchObject({ event: 'complete' });
    await router.books.telling.waitFor(0);
  });

  it('know the caller by the payload of connection_init, by an API key there, or by the header of the upgrade', async () => {
    router.controlPlane.apiKeys.set('ask_ws', { apiKeyId: uuidv7(), organizationId: uuidv7(), scopes: [] });
    const kind = async (params: Record<string, unknown>) => {
      const { value } = await socket(params).iterate<{ caller: string }>({ query: '{ caller }' }).next();
      return (JSON.parse(value.data.caller) as { kind: string }).kind;
    };
    expect(await kind({ authorization: `Bearer ${token}` })).toBe('USER');
    expect(await kind({ apiKey: 'ask_ws' })).toBe('API_KEY');
    expect(await kind({})).toBe('ANONYMOUS');
    const { WebSocket } = await import('ws');
    const raw = new WebSocket(router.graphqlUrl.replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { authorization: `Bearer ${token}` },
    });
    const heard: { payload?: { data?: { caller: string } } }[] = [];
    raw.on('message', (text: Buffer) => heard.push(JSON.parse(String(text)) as object));
    await new Promise((resolve) => raw.once('open', resolve));
    raw.send('{"type":"connection_init"}');
    await expect.poll(() => heard).toHaveLength(1);
    raw.send('{"type":"subscribe","id":"1","payload":{"query":"{ caller }"}}');
    await expect.poll(() => heard[1]?.payload?.data?.caller).toContain('"USER"');
    raw.close();
  });

  it('are limited per connection', async () => {
    const client = socket();
    const open = Array.from({ length: 100 }, () =>
      client.iterate({ query: 'subscription { bookTold { id } }' }),
    );
    open.forEach((events) => void events.next().catch(() => undefined));
    await router.books.telling.waitFor(100);
    await expect(client.iterate({ query: 'subscription { bookTold { id } }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'TOO_MANY_OPERATIONS' } },
    ]);
    client.terminate();
    await router.books.telling.waitFor(0);
  });
});

describe('a stream that goes on for long', () => {
  it('ends when its API key is revoked, within the time between two looks', async () => {
    const router = await openRouter({ deps: { streams: { recheckMs: 600, silenceMs: 45_000 } } });
    const key = { apiKeyId: uuidv7(), organizationId: uuidv7(), scopes: [] };
    router.controlPlane.apiKeys.set('ask_long', key);
    const ended = router
      .socket({ apiKey: 'ask_long' })
      .iterate({ query: 'subscription { bookTold { id } }' })
      .next();
    await router.books.telling.waitFor(1);
    router.controlPlane.apiKeys.delete('ask_long');
    expect((await ended).value).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    await router.books.telling.waitFor(0);
  });

  it('ends when a membership of its caller ends, and not when one begins', async () => {
    const router = await openRouter({ deps: { streams: { recheckMs: 600, silenceMs: 45_000 } } });
    const [first, second] = [uuidv7(), uuidv7()].map((organizationId) => ({
      organizationId,
      role: 'MEMBER' as const,
    }));
    const person = { userId: uuidv7(), saleorUserId: 'VXNlcjox', memberships: [first!] };
    router.controlPlane.people.set('subject-1', person);
    const events = router
      .socket({ authorization: `Bearer ${await router.issuer.token()}` })
      .iterate({ query: 'subscription { bookTold { id } }' });
    const told = events.next();
    await router.books.telling.waitFor(1);
    person.memberships = [first!, second!];
    const looks = () => router.controlPlane.asked.filter((path) => path.endsWith(':resolve')).length;
    const before = looks();
    await expect.poll(looks).toBeGreaterThanOrEqual(before + 2);
    router.books.telling.tell('b1');
    expect((await told).value).toEqual({ data: { bookTold: { id: 'b1' } } });
    person.memberships = [second!];
    expect((await events.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'ACCESS_CHANGED' } }],
    });
    await router.books.telling.waitFor(0);
  });

  it('ends with a code when upstream falls silent, and not while it says comments', async () => {
    const left = Promise.withResolvers<void>();
    const mute = {
      sdl: 'type Query { hush: Int } type Subscription { hushed: Int }',
      fetch: async (): Promise<Response> => {
        let said = 0;
        const body = new ReadableStream<string>({
          async pull(controller) {
            said += 1;
            if (said <= 15) {
              await sleep(100);
              controller.enqueue(':\n\n');
            } else if (said === 16) controller.enqueue('event: next\ndata: {"data":{"hushed":1}}\n\n');
            else await new Promise(() => undefined);
          },
          cancel: () => left.resolve(),
        });
        return new Response(body.pipeThrough(new TextEncoderStream()), {
          headers: { 'content-type': 'text/event-stream' },
        });
      },
    };
    const router = await openRouter({
      more: { mute },
      deps: { streams: { recheckMs: 30_000, silenceMs: 700 } },
    });
    const events = router.socket().iterate({ query: 'subscription { hushed }' });
    expect((await events.next()).value).toEqual({ data: { hushed: 1 } });
    expect((await events.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    await left.promise;
  });
});

it('a connection is told to come later while nobody can say who it is', async () => {
  const away = createServiceClient({
    name: 'control-plane',
    baseUrl: 'http://control-plane.internal',
    send: () => Promise.reject(new Error('away')),
  });
  const router = await openRouter({ deps: { controlPlane: away } });
  const socket = router.socket({ authorization: `Bearer ${await router.issuer.token()}` });
  await expect(socket.iterate({ query: '{ reviews }' }).next()).rejects.toMatchObject({ code: 1013 });
});

it('plans are kept of what a subgraph has answered: who is refused leaves nothing', async () => {
  const router = await openRouter();
  const planned = vi.spyOn(QueryPlanner.prototype, 'buildQueryPlan');
  const plansOf = async (query: string): Promise<number> => {
    const before = planned.mock.calls.length;
    for (let times = 0; times < 2; times++)
      for await (const event of router.socket().iterate({ query })) expect(event).toBeDefined();
    return planned.mock.calls.length - before;
  };
  expect(await plansOf('subscription { refusedStream { id } }')).toBe(2);
  expect(await plansOf('subscription { noticed(runId: "r1") { seq } }')).toBe(1);
  planned.mockRestore();
});

it('streams are told to come back when the router stops, and it stops at once', async () => {
  const router = await openRouter();
  const events = router.socket().iterate({ query: 'subscription { bookTold { id } }' });
  const first = events.next();
  await router.books.telling.waitFor(1);
  const stopped = router.app.stop();
  expect((await first).value).toMatchObject({ errors: [{ extensions: { code: 'GOING_AWAY' } }] });
  await stopped;
  await router.books.telling.waitFor(0);
});
