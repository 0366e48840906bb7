import { beforeAll, describe, expect, it } from 'vitest';
import { codesOf, openRouter, type TestRouter } from './testing/open-router.ts';

let router: TestRouter;
let token: string;
beforeAll(async () => {
  router = await openRouter();
  token = await router.issuer.token();
});

const fanOut = `{ books { ...A } } ${['A', 'B', 'C']
  .map((name, n) => `fragment ${name} on Book { ${`...${['B', 'C', 'D'][n]} `.repeat(30)} }`)
  .join(' ')} fragment D on Book { id title }`;

describe('an operation over a limit is refused with a stable code', () => {
  it.each<[string, string, string]>([
    ['too deep', `{ ${'books { product { '.repeat(5)} id ${'} }'.repeat(5)} }`, 'QUERY_TOO_DEEP'],
    ['too many tokens', `{ books { ${'id '.repeat(600)} } }`, 'QUERY_TOO_LARGE'],
    [
      'too many aliases',
      `{ books { ${Array.from({ length: 11 }, (_, n) => `a${n}: id`).join(' ')} } }`,
      'TOO_MANY_ALIASES',
    ],
    [
      'too many root fields',
      `{ ...F } fragment F on Query { a: reviews b: reviews c: reviews d: reviews e: reviews f: reviews g: reviews }`,
      'TOO_MANY_ROOT_FIELDS',
    ],
    ['fragments that amount to too much', fanOut, 'QUERY_TOO_LARGE'],
    ['no GraphQL', '{ books {', 'GRAPHQL_PARSE_FAILED'],
    ['no such field', '{ bocks { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a variable of a wrong type', 'query ($n: Int!) { books(first: $n) { id } }', 'BAD_USER_INPUT'],
    ['no such operation', 'query A { reviews } query B { reviews }', 'OPERATION_RESOLUTION_FAILURE'],
  ])('%s', async (_name, query, code) => {
    const { data, ...answer } = await router.ask(query, { token, variables: { n: 'many' } });
    expect(codesOf(answer)).toEqual([code]);
    expect(data ?? null).toBeNull();
    const overSocket = router.socket({ authorization: `Bearer ${token}` });
    const heard = await overSocket
      .iterate({ query, variables: { n: 'many' } })
      .next()
      .then(
        ({ value }) => value?.errors as { extensions: object }[],
        (errors: { extensions: object }[]) => errors,
      );
    expect(heard.map(({ extensions }) => extensions)).toEqual([{ code }]);
    await overSocket.dispose();
  });

  it('also by the size of its body', async () => {
    const answer = await router.ask('{ reviews }', { token, variables: { x: 'x'.repeat(20_000) } });
    expect([answer.status, ...codesOf(answer)]).toEqual([413, 'QUERY_TOO_LARGE']);
    const streamed = await fetch(`${router.origin}/v1/runs`, {
      method: 'POST',
      duplex: 'half',
      body: new Blob(['x'.repeat(30_000)]).stream(),
    } as RequestInit);
    expect([streamed.status, ((await streamed.json()) as { code: string }).code]).toEqual([
      413,
      'BODY_TOO_LARGE',
    ]);
  });
});

it('takes bodies as large as it is told to, also beyond what a server takes otherwise', async () => {
  const wide = await openRouter({ deps: { maxBodyBytes: 2_000_000 } });
  const answer = await wide.ask('{ reviews }', { variables: { x: 'x'.repeat(1_500_000) } });
  expect([answer.status, answer.data]).toEqual([200, { reviews: 7 }]);
});

it('names no fields to those who may not introspect', async () => {
  const { errors } = await router.ask('{ book { id } bocks { id } }');
  expect(JSON.stringify(errors)).toContain('bocks');
  expect(JSON.stringify(errors)).not.toMatch(/Did you mean/);
});

it('opens introspection to signed-in callers only, over HTTP and graphql-ws', async () => {
  const query = '{ ...S } fragment S on Query { __schema { queryType { name } } }';
  expect(codesOf(await router.ask(query))).toEqual(['UNAUTHENTICATED']);
  expect((await router.ask(query, { token })).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  expect(
    ((await router.socket().iterate({ query }).next()).value as { errors: object[] }).errors,
  ).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});

it.each<[string, string, number, string]>([
  ['a variable of a wrong type', 'query ($n: Int!) { books(first: $n) { id } }', 400, 'BAD_USER_INPUT'],
  ['introspection by nobody', '{ __schema { queryType { name } } }', 401, 'UNAUTHENTICATED'],
  ['a closed mutation', 'mutation { tokenCreate(email: "a@b.c") }', 403, 'FORBIDDEN_OPERATION'],
  ['a part of what was asked', '{ coded reviews }', 200, 'NOT_FOUND'],
])('a refusal has a status for clients that know it: %s', async (_name, query, status, code) => {
  const headers = { accept: 'application/graphql-response+json' };
  const answer = await router.ask(query, { variables: { n: 'many' }, headers });
  expect([answer.status, ...codesOf(answer)]).toEqual([status, code]);
  expect(answer.errors![0]!.extensions).toEqual({ code });
  expect((await router.ask(query, { variables: { n: 'many' } })).status).toBe(200);
});

describe('mutations of the shop that make accounts or sessions', () => {
  it.each([
    'mutation { tokenCreate(email: "a@b.c") }',
    'mutation { harmless: accountRegister }',
    'mutation { ...F } fragment F on Mutation { accountRegister }',
  ])('are closed: %s', async (query) => {
    router.shop.asked.length = 0;
    expect(codesOf(await router.ask(query, { token }))).toEqual(['FORBIDDEN_OPERATION']);
    const { value } = await router
      .socket({ authorization: `Bearer ${token}` })
      .iterate({ query })
      .next();
    expect((value as { errors: object[] }).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN_OPERATION' } },
    ]);
    expect(router.shop.asked.filter(({ query: asked }) => asked.includes('mutation'))).toEqual([]);
  });

  it('leave the others open', async () =>
    expect(
      (await router.ask('mutation { checkoutCreate bookAdd(id: "b9") { title } }', { token })).data,
    ).toEqual({
      checkoutCreate: 'made',
      bookAdd: { title: 'Title of b9' },
    }));
});

describe('a request that a page of another site could send', () => {
  const get = (headers: Record<string, string>) =>
    fetch(`${router.graphqlUrl}?query=${encodeURIComponent('{ reviews }')}`, { headers });

  it('is refused', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await fetch(router.graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"query":"{ reviews }"}',
      });
      expect(answer.status).toBe(415);
      expect(codesOf((await answer.json()) as object)).toEqual(['UNSUPPORTED_MEDIA_TYPE']);
    }
    expect((await get({})).status).toBe(400);
    expect(codesOf((await (await get({})).json()) as object)).toEqual(['PREFLIGHT_REQUIRED']);
  });

  it('is answered when the browser must have asked before', async () => {
    expect(await (await get({ 'apollo-require-preflight': '1' })).json()).toEqual({ data: { reviews: 7 } });
    const preflight = await fetch(router.graphqlUrl, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://site.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://site.test');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization/);
  });

  it('cannot be a batch, nor a mutation by GET', async () => {
    const batch = await fetch(router.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[{"query":"{ reviews }"}]',
    });
    expect(batch.status).toBe(400);
    const mutation = await fetch(
      `${router.graphqlUrl}?query=${encodeURIComponent('mutation { bookAdd(id: "1") { id } }')}`,
      { headers: { 'apollo-require-preflight': '1' } },
    );
    expect(mutation.status).toBe(405);
  });
});
