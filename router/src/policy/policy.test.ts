import {
  buildASTSchema,
  Kind,
  parse,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { describeRecorded, recordedText } from '../../../infra/dev/shop/testing/recorded.ts';
import { closedMutationError, closedMutations } from './closed-mutations.ts';
import { limitError } from './limits.ts';

const limits = { depth: 4, tokens: 200, aliases: 3, rootFields: 3 };
const codeOf = (query: string) => limitError(parse(query), limits)?.extensions['code'];

describe('limits', () => {
  it.each<[string, string, string | undefined]>([
    ['an operation at the limit', '{ a { b { c { d } } } }', undefined],
    ['one level too deep', '{ a { b { c { d { e } } } } }', 'QUERY_TOO_DEEP'],
    ['deep through a fragment', '{ a { ...F } } fragment F on T { b { c { d { e } } } }', 'QUERY_TOO_DEEP'],
    ['a fragment that names itself', '{ a { ...F } } fragment F on T { b ...F }', undefined],
    ['deep introspection', '{ __schema { types { fields { type { ofType { name } } } } } }', undefined],
    ['many aliases', '{ a: x b: x }', undefined],
    ['too many aliases', '{ q { a: x b: x c: x d: x } }', 'TOO_MANY_ALIASES'],
    ['too many root fields', '{ a b c d }', 'TOO_MANY_ROOT_FIELDS'],
    ['too many tokens', `{ ${'a '.repeat(300)} }`, 'QUERY_TOO_LARGE'],
  ])('%s', (_name, query, code) => expect(codeOf(query)).toBe(code));

  it('measure a document whose fragments fan out in linear time', () => {
    const fragments = Array.from(
      { length: 20 },
      (_, n) => `fragment F${n} on T { a { ...F${n + 1} } b { ...F${n + 1} } }`,
    ).join(' ');
    expect(
      limitError(parse(`{ x { ...F0 } } ${fragments} fragment F20 on T { a }`), { ...limits, tokens: 10_000 })
        ?.extensions['code'],
    ).toBe('QUERY_TOO_DEEP');
  });
});

describe('closed mutations', () => {
  const refused = (query: string) => {
    const document = parse(query);
    const fragments = new Map(
      document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
        one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
      ),
    );
    return closedMutationError(document.definitions[0] as OperationDefinitionNode, fragments)?.extensions[
      'code'
    ];
  };
  it.each<[string, string | undefined]>([
    ['mutation { tokenCreate(email: "a") { token } }', 'FORBIDDEN_OPERATION'],
    ['mutation { harmless: accountRegister { errors { code } } }', 'FORBIDDEN_OPERATION'],
    [
      'mutation { ...F } fragment F on Mutation { ... on Mutation { setPassword { token } } }',
      'FORBIDDEN_OPERATION',
    ],
    ['mutation { checkoutCreate { checkout { id } } }', undefined],
    ['{ tokenCreate }', undefined],
  ])('%s', (query, code) => expect(refused(query)).toBe(code));

  it.each(Object.keys(closedMutations))('%s is closed, by whatever alias', (name) =>
    expect(refused(`mutation { harmless: ${name} { errors { code } } }`)).toBe('FORBIDDEN_OPERATION'),
  );
});

describeRecorded('closed mutations exist in the real Saleor', () => {
  const mutations = buildASTSchema(parse(recordedText('saleor-3.22-federated.graphql')), {
    assumeValidSDL: true,
  })
    .getMutationType()!
    .getFields();
  it.each(Object.keys(closedMutations))('%s', (name) => expect(mutations).toHaveProperty(name));
});
