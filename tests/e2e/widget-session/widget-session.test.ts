import { decodeJwt } from 'jose';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { widgetTokenSigner, type WidgetGrant } from '@agentstore/kernel/auth/widget-token';
import { graphClient } from '../../../infra/dev/main-job/graph-client.ts';
import { openStore, type Person, type Store } from '../support/store.ts';
import { toolAgent } from '../tools/tool-agent.ts';

const recheckMs = 500;
const site = 'https://shop.example.com';

let store: Store;
let owner: Person;
let instanceId: string;
let widgetKey: string;
beforeAll(async () => {
  store = await openStore({ recheckMs });
  owner = await store.signUp();
  ({ instanceId } = await owner.withActiveInstance());
  await owner.query(
    'mutation ($input: InstanceBrandInput!) { instanceBrand(input: $input) { errors { code message } } }',
    { input: { instanceId, brandName: 'Ada', allowedDomains: ['shop.example.com', '*.other.example'] } },
  );
  widgetKey = await keyNow();
});
afterAll(() => store.close());

const keyNow = async (id = instanceId): Promise<string> =>
  (await owner.query('query ($id: ID!) { instance(id: $id) { endpoint { widgetKey } } }', { id })).instance
    .endpoint.widgetKey;
const change = (verb: string) =>
  owner.query(
    `mutation ($input: Instance${verb}Input!) { instanceChange: instance${verb}(input: $input) { errors { code } } }`,
    { input: { instanceId } },
  );
const becomes = (state: string) =>
  owner.waitFor('query ($id: ID!) { instance(id: $id) { state } }', { id: instanceId }, ({ instance }) =>
    instance.state === state ? true : undefined,
  );

interface Page {
  readonly token: string;
  readonly handle: string;
  readonly visitorId: string;
  readonly graphqlUrl: string;
}
interface Told {
  readonly status: number;
  readonly code?: string;
  readonly branding?: { readonly brandName: string };
}
async function post(verb: string, body: object, origin: string): Promise<Told & Partial<Page>> {
  const answer = await fetch(`${store.stack.publicOrigin}/v1/widget/session:${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify(body),
  });
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  return { status: answer.status, ...((answer.status === 204 ? {} : await answer.json()) as object) };
}
const init = (more: object = {}, origin = site) => post('init', { widgetKey, ...more }, origin);
const page = async (more: object = {}): Promise<Page> => (await init(more)) as Page;

/** A page's connection: resolves when it is accepted or closed. */
async function connect({ token, graphqlUrl }: Pick<Page, 'token' | 'graphqlUrl'>, origin = site) {
  const socket = new WebSocket(graphqlUrl, { protocols: 'graphql-transport-ws', headers: { origin } });
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  );
  const accepted = new Promise<'accepted'>((resolve) =>
    socket.addEventListener('message', ({ data }) => {
      if ((JSON.parse(String(data)) as { type: string }).type === 'connection_ack') resolve('accepted');
    }),
  );
  socket.addEventListener('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
  );
  return { closed, first: await Promise.race([accepted, closed]), leave: () => socket.close() };
}
async function ask(token: string, query: string, origin = site) {
  const answer = await fetch(store.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, origin },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await answer.json()) as {
    data?: object | null;
    errors?: { extensions: { code: string } }[];
  };
  return { data, codes: errors?.map(({ extensions }) => extensions.code) };
}

describe('a page', () => {
  it('of an allowed site gets a session and a connection, and sees nothing of what others said', async () => {
    const { run } = await owner.run(instanceId, 'A secret of mine.');
    const visitor = await page();
    expect(visitor).toMatchObject({ status: 200, branding: { brandName: 'Ada' }, identified: false });
    const connection = await connect(visitor);
    expect(connection.first).toBe('accepted');
    connection.leave();
    expect((await ask(visitor.token, `{ run(id: "${run.id}") { id input } }`)).data).toEqual({ run: null });
    expect((await ask(visitor.token, '{ viewer { caller } }')).codes).toEqual(['FORBIDDEN']);
    expect((await init({}, 'https://eu.other.example')).status).toBe(200);
  });

  it.each([
    'https://evil.example',
    'http://shop.example.com',
    'https://shop.example.com.evil.example',
    'https://other.example',
  ])('of %s is refused', async (origin) =>
    expect(await init({}, origin)).toMatchObject({ status: 403, code: 'ORIGIN_NOT_ALLOWED' }),
  );

  it('that took its token to another site is refused there', async () => {
    const visitor = await page();
    expect((await connect(visitor, 'https://eu.other.example')).first).toBe(4403);
    expect((await ask(visitor.token, '{ __typename }', 'https://eu.other.example')).codes).toEqual([
      'UNAUTHENTICATED',
    ]);
  });

  it('whose token ends is let go, and the token is worth nothing more', async () => {
    const visitor = await page();
    const sign = await widgetTokenSigner(store.stack.secrets.internalPrivateJwk);
    const token = await sign(decodeJwt(visitor.token)['grant'] as WidgetGrant, 1);
    const connection = await connect({ ...visitor, token });
    expect([connection.first, await connection.closed]).toEqual(['accepted', 4403]);
    expect((await ask(token, '{ __typename }')).codes).toEqual(['UNAUTHENTICATED']);
    expect(await page({ handle: visitor.handle })).toMatchObject({
      status: 200,
      visitorId: visitor.visitorId,
    });
  });

  it('that ends its session loses its connection', async () => {
    const visitor = await page();
    const { closed } = await connect(visitor);
    expect((await post('end', { handle: visitor.handle }, site)).status).toBe(204);
    expect(await closed).toBe(4401);
  });
});

it('a handle that a thief shows after its owner went on ends the session for both', async () => {
  const stolen = await page();
  const second = await page({ handle: stolen.handle });
  const third = await page({ handle: second.handle });
  const { closed } = await connect(third);
  expect(await init({ handle: stolen.handle })).toMatchObject({ status: 401, code: 'SESSION_REVOKED' });
  expect(await closed).toBe(4401);
  expect(await init({ handle: third.handle })).toMatchObject({ status: 401, code: 'SESSION_REVOKED' });
});

it('a paused agent says so to pages, lets its visitors go, and takes them back when it goes on', async () => {
  const visitor = await page();
  const { closed } = await connect(visitor);
  await change('Pause');
  expect(await closed).toBe(4403);
  expect(await init({ handle: visitor.handle })).toMatchObject({
    status: 409,
    code: 'INSTANCE_PAUSED',
    branding: { brandName: 'Ada' },
  });
  await becomes('PAUSED');
  await change('Resume');
  await becomes('ACTIVE');
  const back = await page({ handle: visitor.handle });
  expect(back.visitorId).toBe(visitor.visitorId);
  expect((await connect(back)).first).toBe('accepted');
});

it('a widget that is taken back ends every session, and its key finds nothing', async () => {
  const [one, another] = [await page(), await page()];
  const connections = [await connect(one), await connect(another)];
  const { instanceWidgetRevoke } = await owner.query(
    'mutation ($input: InstanceWidgetRevokeInput!) { instanceWidgetRevoke(input: $input) { errors { code } } }',
    { input: { instanceId } },
  );
  expect(instanceWidgetRevoke.errors).toEqual([]);
  expect(await Promise.all(connections.map(({ closed }) => closed))).toEqual([4401, 4401]);
  expect(await init()).toMatchObject({ status: 404, code: 'WIDGET_NOT_FOUND' });
  widgetKey = await keyNow();
  expect(await init({ handle: one.handle })).toMatchObject({ status: 401, code: 'SESSION_REVOKED' });
  expect((await init()).status).toBe(200);
});

describe('of the calls of tools', () => {
  interface Told {
    readonly __typename: string;
    readonly seq: number;
    readonly toolName?: string;
    readonly delta?: string;
  }
  const fields = `__typename seq ... on StepStarted { step } ... on ToolCallStart { toolCallId toolName } ... on ToolCallArgs { delta }
    ... on ToolCallResult { content }`;
  const follow = `subscription ($id: ID!, $after: Int) { runEvents(runId: $id, after: $after) { ${fields} } }`;

  /** All that this page is told of a run, over its socket and as history; the same both ways. */
  async function told({ token }: Page, id: string): Promise<Told[]> {
    const graph = graphClient({ url: store.graphqlUrl, token, origin: site });
    try {
      const live: Told[] = [];
      for await (const { runEvents } of graph.subscribe<{ runEvents: Told }>(follow, { id }))
        live.push(runEvents);
      const { visitorConversations } = await graph.query<{
        visitorConversations: {
          edges: { node: { runs: { edges: { node: { id: string; events: Told[] } }[] } } }[];
        };
      }>(
        `{ visitorConversations { edges { node { runs { edges { node { id events { ${fields} } } } } } } } }`,
      );
      const runs = visitorConversations.edges.flatMap(({ node }) => node.runs.edges.map((edge) => edge.node));
      expect(runs.find((one) => one.id === id)!.events).toEqual(live);
      const rest: Told[] = [];
      for await (const { runEvents } of graph.subscribe<{ runEvents: Told }>(follow, { id, after: 4 }))
        rest.push(runEvents);
      expect(rest).toEqual(live.slice(4));
      return live;
    } finally {
      await graph.close();
    }
  }

  it('a visitor is told what the owner shows, from their next session on, and of each run the same places', async () => {
    const desk = await toolAgent(store, owner);
    const brand = (showToolSteps: boolean) =>
      owner.query(
        'mutation ($input: InstanceBrandInput!) { instanceBrand(input: $input) { errors { code message } } }',
        { input: { instanceId: desk.instanceId, allowedDomains: ['shop.example.com'], showToolSteps } },
      );
    const start = async ({ token }: Page): Promise<string> => {
      const graph = graphClient({ url: store.graphqlUrl, token, origin: site });
      const { runStart } = await graph
        .query<{ runStart: { run: { id: string } } }>(
          'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code } } }',
          {
            input: {
              instanceId: desk.instanceId,
              input: 'Where is my order A-1042?',
              idempotencyKey: crypto.randomUUID(),
            },
          },
        )
        .finally(() => graph.close());
      return runStart.run.id;
    };
    await brand(true);
    const of = { widgetKey: await keyNow(desk.instanceId) };
    const open = await page(of);
    const run = await start(open);
    const shown = await told(open, run);
    const named = shown.flatMap(({ toolName }) => toolName ?? []).sort();
    expect(named).toEqual(['find_order', 'service_status']);
    expect(shown.some(({ delta }) => delta?.includes('A-1042'))).toBe(true);
    expect(JSON.stringify(shown)).not.toMatch(/orders__|status__|Step/);

    await brand(false);
    const closed = await page({ ...of, handle: open.handle });
    expect(closed.visitorId).toBe(open.visitorId);
    const hidden = await told(closed, run);
    const own = /^(RunStarted|TextMessage|RunFinished)/;
    expect(hidden).toEqual(
      shown.map((event) =>
        own.test(event.__typename) ? event : { __typename: 'RunEventWithheld', seq: event.seq },
      ),
    );
    const next = await told(closed, await start(closed));
    expect(next.map(({ seq }) => seq)).toEqual(next.map((_, index) => index + 1));
    expect(next.at(-1)!.__typename).toBe('RunFinished');
    expect(JSON.stringify(next)).not.toMatch(/find_order|service_status|ToolCall|Step/);
    expect(await told(open, run)).toEqual(shown);
  });
});
