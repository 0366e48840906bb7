import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Data } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

/** Every address that anything in this process (the whole store) connected to. */
const connected = new Set<string>();
const { connect } = net.Socket.prototype;
let store: Store;
let buyer: Person;
let home: { organizationId: string; instanceId: string };

beforeAll(async () => {
  net.Socket.prototype.connect = function (this: net.Socket, ...args: Parameters<typeof connect>) {
    const given: unknown = args[0];
    const [first, host] = (Array.isArray(given) ? given : args) as unknown[];
    const named = typeof first === 'object' && first !== null ? (first as { host?: string }).host : host;
    connected.add(typeof named === 'string' ? named : 'localhost');
    return connect.apply(this, args);
  } as typeof connect;
  store = await openStore();
  buyer = await store.signUp();
  home = await buyer.withActiveInstance();
});
afterAll(async () => {
  net.Socket.prototype.connect = connect;
  await store.close();
});

const post = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${buyer.token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** The events of a whole server-sent event stream. */
async function events(answer: Response): Promise<{ id?: string; event?: string; data: Data }[]> {
  return (await answer.text())
    .split('\n\n')
    .filter((block) => block.includes('data:') && !block.startsWith(':'))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
      return {
        ...(field('id') ? { id: field('id')! } : {}),
        event: field('event')!,
        data: field('data') ? JSON.parse(field('data')!) : null,
      };
    });
}

describe('REST', () => {
  it('starts a run, waits for it, and answers it ended', async () => {
    const answer = await post(
      `${store.stack.publicOrigin}/v1/runs`,
      { instanceId: home.instanceId, input: 'Hello over REST.' },
      { 'idempotency-key': 'rest' },
    );
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      state: 'SUCCEEDED',
      output: expect.stringContaining('Hello over REST.'),
      charge: expect.stringMatching(/^\d+$/),
    });
  });

  it('answers a repeated key with the same run, charged once', async () => {
    const before = await buyer.wallet(home.organizationId);
    const start = () =>
      post(
        `${store.stack.publicOrigin}/v1/runs`,
        { instanceId: home.instanceId, input: 'Once.' },
        { 'idempotency-key': 'once' },
      ).then(async (answer) => (await answer.json()) as { id: string; charge: string });
    const [first, ...others] = await Promise.all([start(), start(), start()]);
    others.push(await start());
    for (const other of others) expect(other).toEqual(first);
    const after = await buyer.wallet(home.organizationId);
    expect(BigInt(before.balance) - BigInt(after.balance)).toBe(BigInt(first!.charge));
    expect(after.ledgerEntries.edges.length - before.ledgerEntries.edges.length).toBe(1);
  });

  it('streams a run as server-sent events, and goes on after Last-Event-ID', async () => {
    const answer = await post(
      `${store.stack.publicOrigin}/v1/instances/${home.instanceId}/runs`,
      { input: 'Stream this.' },
      { accept: 'text/event-stream' },
    );
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const whole = await events(answer);
    expect(whole.map(({ id }) => Number(id))).toEqual(whole.map((_, index) => index + 1));
    expect([whole[0]!.event, whole.at(-1)!.event]).toEqual(['RunStarted', 'RunFinished']);
    const rest = await fetch(`${store.stack.publicOrigin}${answer.headers.get('location')}/events`, {
      headers: { authorization: `Bearer ${buyer.token}`, 'last-event-id': '3' },
    });
    expect(await events(rest)).toEqual(whole.slice(3));
  });

  it('answers problems: no credentials, bad bodies, nothing there', async () => {
    const anonymous = await fetch(`${store.stack.publicOrigin}/v1/workspaces/auto`, { method: 'POST' });
    expect([
      anonymous.status,
      anonymous.headers.get('content-type'),
      ((await anonymous.json()) as { code: string }).code,
    ]).toEqual([401, 'application/problem+json', 'UNAUTHENTICATED']);
    expect(await (await post(`${store.stack.publicOrigin}/v1/runs`, { input: 5 })).json()).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    });
    expect(
      (await post(`${store.stack.publicOrigin}/v1/runs`, { instanceId: 'nothing', input: 'x' })).status,
    ).toBe(404);
    expect((await post(`${store.stack.publicOrigin}/v1/workspaces/auto`, {})).status).toBe(200);
    expect(await (await fetch(`${store.stack.publicOrigin}/v1/openapi.json`)).json()).toMatchObject({
      openapi: '3.1.0',
    });
  });
});

describe('a subscription with fields of other subgraphs and of the shop', () => {
  const selection =
    'instanceChanged(instanceId: $id) { state spend(period: ALL) runs(first: 1) { edges { node { state charge } } } order { number } organization { wallet { state } } }';
  const expected = {
    state: 'ACTIVE',
    spend: expect.stringMatching(/^\d+$/),
    order: { number: expect.any(String) },
    organization: { wallet: { state: 'OPEN' } },
    runs: { edges: [{ node: { state: 'SUCCEEDED' } }] },
  };

  it('comes over graphql-ws', async () => {
    const { value } = await buyer
      .subscribe(`subscription ($id: ID!) { ${selection} }`, { id: home.instanceId })
      .next();
    expect(value.instanceChanged).toMatchObject(expected);
  });

  it('comes over SSE', async () => {
    const stop = new AbortController();
    const answer = await fetch(store.graphqlUrl, {
      method: 'POST',
      signal: stop.signal,
      headers: {
        authorization: `Bearer ${buyer.token}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify({
        query: `subscription ($id: ID!) { ${selection} }`,
        variables: { id: home.instanceId },
      }),
    });
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream()))
      if ((text += chunk).includes('instanceChanged')) break;
    stop.abort();
    const line = text.split('\n').find((one) => one.startsWith('data:') && one.includes('instanceChanged'))!;
    expect(JSON.parse(line.slice(5)).data.instanceChanged).toMatchObject(expected);
  });

  it('is refused when it skips its root field', async () => {
    const attempt = buyer
      .subscribe(
        'subscription ($id: ID!) { instanceChanged(instanceId: $id) @include(if: true) { state } }',
        { id: home.instanceId },
      )
      .next();
    await expect(attempt).rejects.toMatchObject({ codes: ['BAD_USER_INPUT'] });
  });
});

describe('the router', () => {
  it('refuses what is too deep, too large, or not JSON, with codes', async () => {
    const deep = `{ offerings { ${'edges { node { plans { offering { '.repeat(5)} name ${'} } } }'.repeat(5)} } }`;
    expect(await (await post(store.graphqlUrl, { query: deep })).json()).toMatchObject({
      errors: [{ extensions: { code: 'QUERY_TOO_DEEP' } }],
    });
    expect(
      (await post(store.graphqlUrl, { query: `{ viewer { email } } # ${'x'.repeat(300_000)}` })).status,
    ).toBe(413);
    const form = await fetch(store.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"query":"{ viewer { email } }"}',
    });
    expect(form.status).toBe(415);
  });

  it('is ready when its parts are', async () =>
    expect((await fetch(`${store.stack.publicOrigin}/readiness`)).status).toBe(200));

  it('keeps the last good supergraph when the new one is not, and takes a good one over without a restart', async () => {
    const file = path.join(store.stateDir, 'supergraph.graphql');
    const good = fs.readFileSync(file, 'utf8');
    const typeIsThere = async (): Promise<boolean> =>
      (await buyer.query('{ __type(name: "Wallet") { description } }')).__type.description === 'reloaded';
    fs.writeFileSync(file, 'this is no supergraph');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await buyer.query('{ viewer { caller } }')).viewer.caller).toBe('USER');
    fs.writeFileSync(file, good.replace(/"""[^"]*"""\ntype Wallet\b/, '"""reloaded"""\ntype Wallet'));
    await expect.poll(typeIsThere).toBe(true);
  });

  it('and everything else in the store connected to this machine alone', () => {
    expect([...connected].filter((host) => !/^(127\.|localhost$|::1$)/.test(host))).toEqual([]);
    expect(connected.size).toBeGreaterThan(0);
  });
});
