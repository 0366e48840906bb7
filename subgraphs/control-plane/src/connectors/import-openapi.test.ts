import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { toolFault } from './definition-faults.ts';
import { importOpenApi } from './import-openapi.ts';

const ok = { 200: { description: 'fine' } };
const json = (schema: object) => ({ 'application/json': { schema } });
const document = (more: object = {}) => ({
  openapi: '3.0.3',
  info: { title: 'Orders', version: '1' },
  servers: [{ url: 'https://api.example.com/v1/' }],
  paths: {},
  ...more,
});
/** What a document of one operation becomes. */
const importing = async (
  operation: object,
  more: { method?: string; path?: string; document?: object } = {},
) => {
  const { method = 'get', path = '/orders' } = more;
  const outcome = await importOpenApi(
    JSON.stringify(
      document({
        paths: { [path]: { [method]: { operationId: 'op', responses: ok, ...operation } } },
        ...more.document,
      }),
    ),
    undefined,
  );
  return outcome.ok ? outcome.value : outcome.error;
};
const toolFrom = async (...args: Parameters<typeof importing>) => {
  const imported = await importing(...args);
  if ('code' in imported) throw new Error(imported.message);
  return { tool: imported.tools[0], notes: imported.notes.map(({ message }) => message) };
};
const query = (name: string, schema: object = { type: 'string' }, more: object = {}) => ({
  name,
  in: 'query',
  schema,
  ...more,
});

describe('an operation', () => {
  it('is a tool whose arguments are its parameters and the members of its body', async () => {
    const operation = {
      operationId: 'orders.update/v2',
      summary: 'Change an order',
      description: 'Changes it.',
      parameters: [
        { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
        query('dry', { type: 'boolean' }, { description: 'Only says what would be.' }),
        query('tag', { type: 'array', items: { type: 'string' } }),
        { name: 'id', in: 'path', required: true, schema: { $ref: '#/components/schemas/Id' } },
      ],
      requestBody: {
        required: true,
        content: json({
          allOf: [
            { type: 'object', properties: { note: { type: 'string', nullable: true, example: 'x' } } },
            {
              type: 'object',
              required: ['total'],
              properties: {
                total: { type: 'number', minimum: 0, exclusiveMinimum: true },
                at: { type: 'string', readOnly: true },
              },
            },
          ],
        }),
      },
      responses: {
        404: { description: 'none' },
        200: {
          description: 'it',
          content: json({ type: 'object', properties: { id: { $ref: '#/components/schemas/Id' } } }),
        },
      },
    };
    const { tool, notes } = await toolFrom(operation, {
      method: 'patch',
      path: '/orders/{id}',
      document: {
        components: {
          schemas: {
            Id: { type: 'string', pattern: '^[0-9]+$', format: 'order-number', 'x-internal': true },
          },
        },
      },
    });
    expect(notes).toEqual([]);
    expect(tool).toEqual({
      name: 'orders_update_v2',
      title: 'Change an order',
      description: 'Changes it.',
      risk: 'WRITE',
      inputSchema: {
        type: 'object',
        properties: {
          id: { type: 'string', pattern: '^[0-9]+$' },
          dry: { type: 'boolean', description: 'Only says what would be.' },
          tag: { type: 'array', items: { type: 'string' } },
          'X-Trace': { type: 'string' },
          note: { type: ['string', 'null'] },
          total: { type: 'number', exclusiveMinimum: 0 },
        },
        required: ['id', 'total'],
        additionalProperties: false,
      },
      outputSchema: { type: 'object', properties: { id: { type: 'string', pattern: '^[0-9]+$' } } },
      rest: {
        method: 'PATCH',
        path: '/orders/{id}',
        parameters: [
          { name: 'id', in: 'path' },
          { name: 'dry', in: 'query' },
          { name: 'tag', in: 'query' },
          { name: 'X-Trace', in: 'header' },
        ],
        body: true,
      },
    });
    expect(toolFault({ kind: 'REST', auth: { type: 'NONE' } }, tool!)).toBeUndefined();
  });

  it.each<[string, string]>([
    ['get', 'READ'],
    ['head', 'READ'],
    ['post', 'WRITE'],
    ['put', 'WRITE'],
    ['patch', 'WRITE'],
    ['delete', 'DESTRUCTIVE'],
  ])('by %s has the risk %s', async (method, risk) => {
    expect((await toolFrom({}, { method })).tool).toMatchObject({
      risk,
      rest: { method: method.toUpperCase() },
    });
  });

  it('keeps of two arguments of one name the one in the path, then the query, whatever their order', async () => {
    const body = { content: json({ type: 'object', properties: { id: { type: 'integer' }, n: {} } }) };
    const { tool, notes } = await toolFrom(
      {
        parameters: [
          { name: 'id', in: 'header', schema: { type: 'boolean' } },
          query('id'),
          { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 9 } },
        ],
        requestBody: body,
      },
      { method: 'put', path: '/orders/{id}' },
    );
    expect(tool!.inputSchema).toMatchObject({ properties: { id: { type: 'string', maxLength: 9 } } });
    expect(tool!.rest!.parameters).toEqual([{ name: 'id', in: 'path' }]);
    expect(notes).toEqual([
      'the query parameter id is left out: there is another one of that name',
      'the header parameter id is left out: there is another one of that name',
      'the member id of the body is left out: there is a parameter of that name',
    ]);
  });

  it('of a name that is taken is numbered, in the order of the document', async () => {
    const operation = (operationId: string) => ({ get: { operationId, responses: ok } });
    const outcome = await importOpenApi(
      JSON.stringify(
        document({
          paths: {
            '/a': operation('a b'),
            '/b': operation('a_b'),
            '/c': operation('a/b'),
            '/d': operation('1st'),
          },
        }),
      ),
      undefined,
    );
    expect(outcome).toMatchObject({
      value: { tools: [{ name: 'a_b' }, { name: 'a_b_2' }, { name: 'a_b_3' }, { name: 'op_1st' }] },
    });
  });

  it.each<[string, object, { method?: string; path?: string; document?: object }, RegExp]>([
    [
      'in a cookie',
      { parameters: [{ name: 'sid', in: 'cookie', schema: { type: 'string' } }] },
      {},
      /sid is a cookie/,
    ],
    [
      'in a header of HTTP',
      { parameters: [{ name: 'Host', in: 'header', schema: { type: 'string' } }] },
      {},
      /Host is not for arguments/,
    ],
    [
      'an object in the query',
      { parameters: [query('filter', { type: 'object' })] },
      {},
      /filter is written/,
    ],
    [
      'a list in the path',
      {
        parameters: [
          { name: 'ids', in: 'path', required: true, schema: { type: 'array', items: { type: 'string' } } },
        ],
      },
      { path: '/o/{ids}' },
      /ids is written/,
    ],
    [
      'in a style of its own',
      {
        parameters: [query('ids', { type: 'array', items: { type: 'string' } }, { style: 'pipeDelimited' })],
      },
      {},
      /ids is written/,
    ],
    [
      'two that are both needed',
      {
        parameters: [
          query('id', { type: 'string' }, { required: true }),
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
        ],
      },
      { path: '/o/{id}' },
      /two parameters id/,
    ],
    [
      'a member of the body that is needed too',
      {
        parameters: [query('id')],
        requestBody: {
          required: true,
          content: json({ type: 'object', required: ['id'], properties: { id: {} } }),
        },
      },
      { method: 'post' },
      /both a parameter and a member/,
    ],
    [
      'a body that is a list',
      { requestBody: { required: true, content: json({ type: 'array', items: {} }) } },
      { method: 'post' },
      /no JSON object/,
    ],
    [
      'a body that is a form',
      { requestBody: { required: true, content: { 'multipart/form-data': { schema: { type: 'object' } } } } },
      { method: 'post' },
      /no JSON object/,
    ],
    ['another server', { servers: [{ url: 'https://other.example.com' }] }, {}, /server of its own/],
    ['no name', { operationId: undefined }, {}, /no operationId/],
    ['a method of its own', {}, { method: 'options' }, /OPTIONS is not supported/],
  ])('with %s is told of and is no tool', async (_name, operation, more, words) => {
    const { tool, notes } = await toolFrom(operation, more);
    expect(tool).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(words)]);
  });

  it('whose body may be left out and cannot be written goes without it, and says so', async () => {
    const { tool, notes } = await toolFrom(
      { requestBody: { content: { 'text/plain': { schema: { type: 'string' } } } } },
      { method: 'post' },
    );
    expect(tool!.rest!.body).toBe(false);
    expect(notes).toEqual(['the body is left out: the body is no JSON object whose members are listed']);
  });
});

describe('the way to the upstream', () => {
  const secured = (scheme: object, more: object = {}) =>
    importing(
      {},
      { document: { security: [{ main: [] }], components: { securitySchemes: { main: scheme } }, ...more } },
    );

  it.each<[object, object]>([
    [
      { type: 'http', scheme: 'Bearer' },
      { type: 'BEARER', field: 'token' },
    ],
    [
      { type: 'http', scheme: 'basic' },
      { type: 'BASIC', usernameField: 'username', passwordField: 'password' },
    ],
    [
      { type: 'apiKey', in: 'header', name: 'X-Key' },
      { type: 'HEADER', name: 'X-Key', field: 'apiKey', prefix: '' },
    ],
  ])('is authenticated as %o says', async (scheme, auth) => {
    expect(await secured(scheme)).toMatchObject({
      auth,
      origin: 'https://api.example.com',
      path: '/v1',
      name: 'Orders',
    });
  });

  it.each<[string, object, RegExp]>([
    [
      'in the query',
      { type: 'apiKey', in: 'query', name: 'key' },
      /key in the query, where it would be logged/,
    ],
    ['in a cookie', { type: 'apiKey', in: 'cookie', name: 'sid' }, /key in the cookie/],
    [
      'by OAuth',
      { type: 'oauth2', flows: { implicit: { authorizationUrl: 'https://a.example.com', scopes: {} } } },
      /oauth2/,
    ],
    ['by digest', { type: 'http', scheme: 'digest' }, /digest/],
  ])('with a secret %s is refused', async (_name, scheme, words) => {
    expect(await secured(scheme)).toMatchObject({
      code: 'AUTH_UNSUPPORTED',
      message: expect.stringMatching(words) as string,
    });
  });

  it('is one for all: an operation that needs another one is told of', async () => {
    const schemes = { a: { type: 'http', scheme: 'bearer' }, b: { type: 'http', scheme: 'basic' } };
    const outcome = await importOpenApi(
      JSON.stringify(
        document({
          security: [{ a: [] }],
          components: { securitySchemes: schemes },
          paths: {
            '/a': { get: { operationId: 'a', responses: ok } },
            '/b': { get: { operationId: 'b', responses: ok, security: [{ b: [] }] } },
            '/c': { get: { operationId: 'c', responses: ok, security: [] } },
          },
        }),
      ),
      undefined,
    );
    expect(outcome).toMatchObject({
      value: {
        auth: { type: 'BEARER' },
        tools: [{ name: 'a' }, { name: 'c' }],
        notes: [{ source: 'GET /b', imported: false }],
      },
    });
  });

  it.each([
    '/v1',
    'ftp://api.example.com',
    'https://{region}.example.com',
    'https://u:p@api.example.com',
    'https://api.example.com?x=1',
  ])('is no %s', async (url) => {
    expect(await importing({}, { document: { servers: [{ url }] } })).toMatchObject({
      code: 'DOCUMENT_REFUSED',
    });
    expect(
      await importOpenApi(JSON.stringify(document({ servers: [{ url }] })), 'https://here.example.com'),
    ).toMatchObject({
      value: { origin: 'https://here.example.com', path: '/' },
    });
  });
});

describe('a document', () => {
  const refs = Object.fromEntries(
    Array.from({ length: 60 }, (_, level) => [
      `L${level}`,
      level === 59
        ? { type: 'string' }
        : {
            type: 'object',
            properties: {
              a: { $ref: `#/components/schemas/L${level + 1}` },
              b: { $ref: `#/components/schemas/L${level + 1}` },
            },
          },
    ]),
  );
  const schemas = (all: object) => JSON.stringify(document({ components: { schemas: all } }));

  it.each<[string, string, RegExp]>([
    ['no document', '{{{', /neither JSON nor YAML/],
    ['a number', '1', /not OpenAPI 3/],
    ['Swagger 2', JSON.stringify({ swagger: '2.0' }), /not OpenAPI 3/],
    ['OpenAPI 4', JSON.stringify({ ...document(), openapi: '4.0.0' }), /not OpenAPI 3/],
    ['no valid one', JSON.stringify({ openapi: '3.0.3', paths: {} }), /no valid OpenAPI/],
    ['too long', JSON.stringify(document({ description: 'x'.repeat(1_048_577) })), /longer than/],
    ['a reference to a file', schemas({ A: { $ref: 'file:///etc/passwd' } }), /outside/],
    ['a reference to a file beside it', schemas({ A: { $ref: './secrets.yaml#/a' } }), /outside/],
    ['a reference to the network', schemas({ A: { $ref: 'http://169.254.169.254/latest' } }), /outside/],
    [
      'a reference to nothing',
      schemas({ A: { $ref: '#/components/schemas/B' } }),
      /outside of it, or to nothing/,
    ],
    ['references that multiply', schemas(refs), /too large with its references followed/],
    [
      'aliases that multiply',
      `openapi: 3.0.3\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]`,
      /neither JSON nor YAML|too large/,
    ],
    ['no bottom', `{"openapi":"3.0.3","a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, /deeper/],
  ])('that is or has %s is refused', async (_name, text, words) => {
    expect(await importOpenApi(text, undefined)).toMatchObject({
      error: { code: 'DOCUMENT_REFUSED', message: expect.stringMatching(words) as string },
    });
  });

  it('is the same in YAML, and of 3.1', async () => {
    const same = document({
      openapi: '3.1.0',
      paths: {
        '/a': {
          get: { operationId: 'a', parameters: [query('n', { type: ['integer', 'null'] })], responses: ok },
        },
      },
    });
    const fromYaml = await importOpenApi(stringify(same), undefined);
    expect(fromYaml).toMatchObject({
      value: { tools: [{ inputSchema: { properties: { n: { type: ['integer', 'null'] } } } }] },
    });
    expect(fromYaml).toEqual(await importOpenApi(JSON.stringify(same), undefined));
  });

  it('with a schema that leads back to itself is read; what needs it cannot be a tool', async () => {
    const { tool, notes } = await toolFrom(
      {
        responses: {
          200: { description: 'it', content: json({ $ref: '#/components/schemas/Tree' }) },
        },
        requestBody: {
          required: true,
          content: json({ type: 'object', properties: { tree: { $ref: '#/components/schemas/Tree' } } }),
        },
      },
      {
        method: 'post',
        document: {
          components: {
            schemas: {
              Tree: { type: 'object', properties: { left: { $ref: '#/components/schemas/Tree' } } },
            },
          },
        },
      },
    );
    expect(toolFault({ kind: 'REST', auth: { type: 'NONE' } }, tool!)).toMatch(/refers to/);
    expect(notes).toEqual([expect.stringMatching(/schema of the answer is left out: /)]);
  });
});
