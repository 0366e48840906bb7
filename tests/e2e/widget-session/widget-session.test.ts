import { decodeJwt } from 'jose';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { widgetTokenSigner, type WidgetGrant } from '@agentstore/kernel/auth/widget-token';
import { openStore, type Person, type Store } from '../support/store.ts';

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

const keyNow = async (): Promise<string> =>
  (await owner.query('query ($id: ID!) { instance(id: $id) { endpoint { widgetKey } } }', { id: instanceId }))
    .instance.endpoint.widgetKey;
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
