import { expect, it } from 'vitest';
import { UnusableSchema, validatorOf } from './json-schema.ts';

it('validates by JSON Schema 2020-12, and tells the place and the rule of the first fault, never the value', () => {
  const validate = validatorOf({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { list: { prefixItems: [{ type: 'string', format: 'date' }], items: false } },
    unevaluatedProperties: false,
  });
  expect(validate({ list: ['2026-01-01'] })).toBeUndefined();
  expect(validate({ list: ['hunter2'] })).toEqual({
    path: '/list/0',
    rule: 'format',
    message: 'must match format "date"',
  });
  expect(validate({ other: 1 })).toMatchObject({ rule: 'unevaluatedProperties' });
});

it('asks for own members: what every object inherits is none', () => {
  const validate = validatorOf({ type: 'object', required: ['constructor'] });
  expect(validate({})).toMatchObject({ rule: 'required' });
  expect(validate({ constructor: 1 })).toBeUndefined();
});

it('converts nothing', () => {
  expect(validatorOf({ type: 'number' })('1')).toMatchObject({ rule: 'type' });
});

it('runs a pattern that backtracks for ever elsewhere in linear time', () => {
  const validate = validatorOf({ type: 'string', pattern: '^(a+)+$' });
  expect(validate(`${'a'.repeat(50_000)}!`)).toMatchObject({ rule: 'pattern' });
  expect(validate('aaa')).toBeUndefined();
});

it('compiles a schema once, keeps none that is gone, and takes two of the same $id', () => {
  const schema = { $id: 'https://x.test/s', type: 'string' };
  expect(validatorOf(schema)).toBe(validatorOf(schema));
  expect(validatorOf({ $id: 'https://x.test/s', type: 'number' })(1)).toBeUndefined();
});

const nested = (depth: number): Record<string, unknown> => (depth ? { not: nested(depth - 1) } : {});
const doubling = (depth: number): Record<string, unknown> =>
  depth ? { $defs: { [`d${depth}`]: {} }, allOf: [doubling(depth - 1), doubling(depth - 1)] } : {};
it.each([
  ['a remote reference', { $ref: 'https://evil.test/schema' }],
  ['a file', { $ref: 'file:///etc/passwd' }],
  ['another dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }],
  ['an unknown keyword', { requird: ['a'] }],
  ['an unknown format', { format: 'secret' }],
  ['a pattern that looks ahead', { pattern: '^(?=a)b' }],
  ['a pattern that refers back', { pattern: '(a)\\1' }],
  ['a pattern that is none', { patternProperties: { '(': {} } }],
  ['a wrong value', { type: 'nothing' }],
  ['deep nesting', nested(40)],
  ['a long text', { description: 'x'.repeat(70_000) }],
  ['a reference to itself', { $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }],
  ['composition that doubles', doubling(9)],
  [
    'composition that doubles by reference',
    {
      $defs: Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [
          `d${i}`,
          { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
        ]),
      ),
      $ref: '#/$defs/d0',
    },
  ],
  [
    'recursion that makes four of one with each level',
    {
      $defs: { a: { allOf: Array(4).fill({ properties: { next: { $ref: '#/$defs/a' } } }) } },
      $ref: '#/$defs/a',
    },
  ],
])('refuses %s', (_what, schema) => {
  expect(() => validatorOf(schema)).toThrow(UnusableSchema);
});

it('takes an expression of three kinds whose parts are expressions', () => {
  const kind = (name: string) => ({
    type: 'object',
    required: ['kind'],
    properties: { kind: { const: name }, parts: { type: 'array', items: { $ref: '#/$defs/expression' } } },
  });
  const validate = validatorOf({
    $defs: { expression: { anyOf: [kind('and'), kind('or'), kind('not')] } },
    $ref: '#/$defs/expression',
  });
  expect(validate({ kind: 'and', parts: [{ kind: 'or' }] })).toBeUndefined();
  expect(validate({ kind: 'and', parts: [{ kind: 'xor' }] })).toBeDefined();
});

it('takes a tree that refers to itself below its members', () => {
  const validate = validatorOf({
    $defs: {
      node: {
        type: 'object',
        properties: { left: { $ref: '#/$defs/node' }, right: { $ref: '#/$defs/node' } },
      },
    },
    $ref: '#/$defs/node',
  });
  expect(validate({ left: { right: {} } })).toBeUndefined();
  expect(validate({ left: { right: 1 } })).toMatchObject({ path: '/left/right' });
});
