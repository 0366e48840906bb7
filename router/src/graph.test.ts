import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codesOf, openRouter, type TestRouter } from './testing/open-router.ts';

describe.each(['in-process', 'http'] as const)('the graph over %s clients', (transport) => {
  let router: TestRouter;
  let token: string;
  beforeAll(async () => {
    router = await openRouter({ transport });
    token = await router.issuer.token();
  });
  afterEach(() => router.shop.be('up'));

  it('joins fields of all subgraphs', async () => {
    const answer = await router.ask('{ books { id title rating product { name stars } } shop { name } }', {
      token,
    });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      books: [
        { id: 'b0', title: 'Title of b0', rating: 2, product: { name: 'Product p0', stars: 5 } },
        { id: 'b1', title: 'Title of b1', rating: 2, product: { name: 'Product p1', stars: 5 } },
      ],
      shop: { name: 'Test shop' },
    });
  });

  it("keeps the codes of subgraphs' errors, and nothing else of them", async () => {
    const { data, errors } = await router.ask('{ coded forbidden broken reviews staffOnly }', { token });
    expect(data).toEqual({ coded: null, forbidden: null, broken: null, reviews: 7, staffOnly: null });
    const byPath = Object.fromEntries(errors!.map((error) => [String(error.path), error]));
    expect(byPath['coded']).toMatchObject({
      message: 'There is no such book.',
      extensions: { code: 'NOT_FOUND' },
    });
    expect(Object.keys(byPath['coded']!.extensions)).toEqual(['code']);
    expect(byPath['forbidden']!.extensions.code).toBe('FORBIDDEN');
    expect(byPath['broken']).toMatchObject({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    expect(byPath['staffOnly']!.extensions.code).toBe('FORBIDDEN');
    expect(JSON.stringify(errors)).not.toMatch(/10\.0\.0\.7|select \*|serviceName|books/);
  });

  it('answers what it can within the deadline when a subgraph does not', async () => {
    const { data, errors } = await router.ask('{ never reviews }', { token });
    expect(data).toEqual({ never: null, reviews: 7 });
    expect(errors!.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_UNAVAILABLE']);
  });

  it.each(['down', 'hang'] as const)(
    'answers ours with SALEOR_UNAVAILABLE while the shop is %s',
    async (mode) => {
      router.shop.be(mode);
      const answer = await router.ask('{ books { rating product { name stars } } }', { token });
      expect(answer.data!['books'][1]).toEqual({ rating: 2, product: { name: null, stars: 5 } });
      expect(codesOf(answer)).toContain('SALEOR_UNAVAILABLE');
    },
  );

  it('passes the trace on, and gives each subgraph an internal token of its own in place of the client’s', async () => {
    const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
    const { data } = await router.ask('{ headers }', { token, headers: { traceparent, cookie: 'a=b' } });
    const headers = JSON.parse(String(data!['headers'])) as Record<string, string>;
    expect(headers['traceparent']).toBe(traceparent);
    expect(headers['cookie']).toBeUndefined();
    const claims = JSON.parse(
      Buffer.from(headers['authorization']!.split('.')[1]!, 'base64url').toString(),
    ) as Record<string, unknown>;
    expect(claims).toMatchObject({ iss: 'agentstore-router', aud: 'books' });
  });

  it('asks the shop for each entity once, at most 100 a call, and puts the answers and errors in their places', async () => {
    router.shop.asked.length = 0;
    const { data, errors } = await router.ask('{ books(first: 250) { product { id name broken } } }', {
      token,
    });
    const keys = router.shop.asked.map(({ variables }) => (variables['representations'] as object[]).length);
    expect(keys.toSorted((a, b) => a - b)).toEqual([20, 100]);
    const names = (data!['books'] as { product: { name: string | null } }[]).map(
      ({ product }) => product.name,
    );
    expect([names[0], names[3], names[119], names[120], names[249]]).toEqual([
      'Product p0',
      null,
      'Product p119',
      'Product p0',
      'Product p9',
    ]);
    expect(errors!.map(({ path }) => path)).toEqual(
      [1, 121, 241].map((place) => ['books', place, 'product', 'broken']),
    );
    expect(new Set(errors!.map(({ extensions }) => extensions.code))).toEqual(new Set(['SHOP_ERROR']));
  });

  it('keeps what the shop answered of its entities when one of the calls fails', async () => {
    router.shop.be('partly');
    const { data, errors } = await router.ask('{ books(first: 121) { rating product { name stars } } }', {
      token,
    });
    const books = data!['books'] as { product: { name: string | null; stars: number } }[];
    expect([books[0], books[99], books[100], books[120]].map((book) => book!.product)).toEqual([
      { name: 'Product p0', stars: 5 },
      { name: 'Product p99', stars: 5 },
      { name: null, stars: 5 },
      { name: 'Product p0', stars: 5 },
    ]);
    expect(codesOf({ errors: errors! })).toEqual(Array.from({ length: 20 }, () => 'SALEOR_UNAVAILABLE'));
    expect(errors![0]!.path).toEqual(['books', 100, 'product']);
  });

  it("speaks the shop's dialect", async () => {
    const said = async (query: string, variables?: object) => {
      const { data, errors } = await router.ask(query, { token, ...(variables ? { variables } : {}) });
      expect(errors).toBeUndefined();
      return JSON.parse(String(data!['products'])) as unknown;
    };
    expect(await said('{ products(filter: { channel: null, ids: ["a", null], not: null }) }')).toEqual({
      filter: { channel: null, ids: ['a', null], not: null },
    });
    expect(await said('{ products(filter: { channel: """block\n  "text" """ }) }')).toEqual({
      filter: { channel: 'block\n"text" ' },
    });
    expect(
      await said(
        'query ($null_0: String, $f: Filter = { channel: null }) { products(filter: $f, ids: [$null_0, null]) }'.replace(
          'String',
          'ID',
        ),
        {
          null_0: 'x',
        },
      ),
    ).toEqual({ filter: { channel: null }, ids: ['x', null] });
    expect(
      await said('query ($representations: [ID]) { products(ids: $representations) }', {
        representations: ['a', 'a'],
      }),
    ).toEqual({ ids: ['a', 'a'] });
  });

  it('takes a subgraph of another schema for a fault of ours, not for one of the client', async () => {
    const skewed = {
      sdl: 'type Query { oldName: Int }',
      fetch: async () =>
        Response.json({
          errors: [
            {
              message: 'Cannot query field "oldName" on type "Query". Did you mean "newName"?',
              extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
            },
          ],
        }),
    };
    const { ask } = await openRouter({ transport, more: { skewed } });
    const { data, errors } = await ask('{ oldName reviews }');
    expect(data).toEqual({ oldName: null, reviews: 7 });
    expect(codesOf({ errors: errors! })).toEqual(['INTERNAL']);
    expect(JSON.stringify(errors)).not.toMatch(/newName/);
  });

  it("gives the shop a person's own token, and API keys and anonymous callers none", async () => {
    router.controlPlane.apiKeys.set('ask_good', {
      apiKeyId: '0198c0de-0000-7000-8000-000000000001',
      organizationId: '0198c0de-0000-7000-8000-000000000002',
      scopes: [],
    });
    router.shop.asked.length = 0;
    for (const sender of [token, 'ask_good', undefined])
      await router.ask('{ shop { name } }', {
        ...(sender ? { token: sender } : {}),
        headers: { 'authorization-bearer': 'stolen' },
      });
    const asked = router.shop.asked.filter(({ query }) => query.includes('shop'));
    expect(asked.map(({ headers }) => headers.get('authorization'))).toEqual([`Bearer ${token}`, null, null]);
    expect(asked.map(({ headers }) => headers.get('authorization-bearer'))).toEqual([null, null, null]);
  });
});
