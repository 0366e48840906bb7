import { describe, expect, it } from 'vitest';
import { ordersConnector } from '../testing/connectors.ts';
import { readDefinition, toolSchemaFault } from './definition-faults.ts';

const faultOf = (value: unknown): string | undefined => {
  const read = readDefinition(value);
  return 'fault' in read ? read.fault : undefined;
};

/** The definition with its one tool changed. */
const withTool = (change: (tool: (typeof ordersConnector.tools)[number]) => object) => ({
  ...ordersConnector,
  tools: [change(ordersConnector.tools[0]!)],
});
const withRequest = (rest: object, inputSchema: object = {}) =>
  withTool((tool) => ({
    ...tool,
    inputSchema: { ...tool.inputSchema, ...inputSchema },
    rest: { ...tool.rest, ...rest },
  }));

describe('a definition', () => {
  it('is taken as it is, with what it leaves out', () => {
    expect(readDefinition(ordersConnector)).toMatchObject({
      definition: { slug: 'orders', timeoutMs: 15_000 },
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /expected object/],
    ['an origin with a path', { ...ordersConnector, origin: 'https://api.example.com/v1' }, /origin/],
    [
      'an origin with a user',
      { ...ordersConnector, origin: 'https://api.example.com@evil.example' },
      /origin/,
    ],
    ['an origin to fill in', { ...ordersConnector, origin: 'https://{host}' }, /origin/],
    ['no origin', { ...ordersConnector, origin: undefined }, /needs an origin/],
    ['a knowledge base elsewhere', { ...ordersConnector, kind: 'RAG' }, /RAG connector has no origin/],
    ['a slug with an underscore', { ...ordersConnector, slug: 'a__b' }, /slug/],
    [
      'a secret in the Cookie',
      { ...ordersConnector, auth: { type: 'HEADER', name: 'Cookie', field: 'key' } },
      /not for secrets/,
    ],
    [
      'one tool twice',
      { ...ordersConnector, tools: [ordersConnector.tools[0], ordersConnector.tools[0]] },
      /two tools find_order/,
    ],
    ['a request of an MCP tool', { ...ordersConnector, kind: 'MCP' }, /only a tool of a REST connector/],
    ['a REST tool without one', withTool(({ rest: _rest, ...tool }) => tool), /needs a request/],
    ['a placeholder without a parameter', withRequest({ path: '/orders/{id}/{line}' }), /placeholders/],
    ['a parameter without a placeholder', withRequest({ path: '/orders' }), /placeholders/],
    ['half a placeholder', withRequest({ path: '/orders/{id}/{' }), /brace/],
    ['a path that leaves its folder', withRequest({ path: '/../{id}' }), /leaves its folder/],
    ['a path that leaves it encoded', withRequest({ path: '/%2E%2e/{id}' }), /leaves its folder/],
    ['a path parameter that may be left out', withRequest({}, { required: [] }), /may be left out/],
    [
      'a parameter that is no argument',
      withRequest({
        parameters: [...ordersConnector.tools[0]!.rest.parameters, { name: 'page', in: 'query' }],
      }),
      /page is no argument/,
    ],
    [
      'an argument without a place',
      withRequest({}, { properties: { id: {}, page: {} } }),
      /page has no place/,
    ],
    [
      'an argument with two',
      withRequest({
        parameters: [
          { name: 'id', in: 'path' },
          { name: 'id', in: 'query' },
        ],
      }),
      /two places/,
    ],
    ['a body of a GET', withRequest({ body: true }), /GET has no body/],
    ...[
      'Host',
      'Authorization',
      'Cookie',
      'Content-Length',
      'X-Forwarded-For',
      'Proxy-Authorization',
      'X-API-Key',
      'Bad Header',
    ].map((name): [string, unknown, RegExp] => [
      `an argument in ${name}`,
      withRequest(
        {
          parameters: [
            { name: 'id', in: 'path' },
            { name, in: 'header' },
          ],
        },
        { properties: { id: {}, [name]: {} } },
      ),
      /is not for arguments/,
    ]),
    ['a text that no database holds', { ...ordersConnector, name: 'a\u0000b' }, /characters that are none/],
    ['half a character', { ...ordersConnector, name: 'a\ud800b' }, /characters that are none/],
  ])('with %s is refused, in words', (_name, value, words) => expect(faultOf(value)).toMatch(words));

  it('may speak of what it must not hold', () => {
    expect(faultOf({ ...ordersConnector, name: String.raw`the escape \u0000 in words` })).toBeUndefined();
  });
});

describe('a schema of arguments', () => {
  const bomb = {
    type: 'object',
    $defs: Object.fromEntries(
      Array.from({ length: 40 }, (_, level) => [
        `l${level}`,
        level === 39 ? {} : { allOf: [{ $ref: `#/$defs/l${level + 1}` }, { $ref: `#/$defs/l${level + 1}` }] },
      ]),
    ),
    allOf: [{ $ref: '#/$defs/l0' }],
  };
  let deep: object = {};
  for (let level = 0; level < 10_000; level++) deep = { not: deep };

  it.each<[string, Record<string, unknown>, RegExp | undefined]>([
    [
      'an object',
      { type: 'object', properties: { a: { type: 'string', pattern: '^[a-z]+$', format: 'email' } } },
      undefined,
    ],
    [
      'two patterns',
      { type: 'object', properties: { a: { pattern: '^a+$' }, b: { pattern: '^b+$' } } },
      undefined,
    ],
    [
      'references inside it',
      { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: {} } },
      undefined,
    ],
    ['a list', { type: 'array' }, /not that of an object/],
    [
      'draft 07',
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
      /no JSON Schema \(2020-12\)/,
    ],
    ['a type that is none', { type: 'object', properties: { a: { type: 'colour' } } }, /no JSON Schema/],
    [
      'a reference to the network',
      { type: 'object', properties: { a: { $ref: 'http://169.254.169.254/' } } },
      /refers to/,
    ],
    [
      'a reference to a file',
      { type: 'object', properties: { a: { $ref: 'file:///etc/passwd' } } },
      /refers to/,
    ],
    ['a reference to itself', { type: 'object', properties: { a: { $ref: '#' } } }, /refers to itself/],
    ['a dynamic one', { type: 'object', properties: { a: { $dynamicRef: '#a' } } }, /refers to itself/],
    ['references that multiply', bomb, /too much/],
    [
      'a pattern that RE2 does not know',
      { type: 'object', properties: { a: { pattern: '(?=a)b' } } },
      /no JSON Schema/,
    ],
    [
      'a pattern with a reference back',
      { type: 'object', properties: { a: { pattern: '(a)\\1' } } },
      /no JSON Schema/,
    ],
    ['no bottom', { type: 'object', properties: { a: deep } }, /longer|deeper/],
    ['too many words', { type: 'object', description: 'x'.repeat(40_000) }, /longer/],
    [
      'a format that nobody checks',
      { type: 'object', properties: { a: { format: 'order-number' } } },
      /unknown format/,
    ],
    ['a rule that nobody knows', { type: 'object', properties: { a: { maxWords: 3 } } }, /unknown keyword/],
    ['a promise', { type: 'object', $async: true }, /asynchronous/],
  ])('with %s is taken or refused, in words', (_name, schema, words) => {
    expect(toolSchemaFault(schema) ?? '').toMatch(words ?? /^$/);
  });

  it('of one name twice are not in each other’s way', () => {
    const named = () => ({ $id: 'https://example.com/a', type: 'object' });
    expect([toolSchemaFault(named()), toolSchemaFault(named())]).toEqual([undefined, undefined]);
  });
});
