import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { entityCalls, inSaleorsWords } from './saleor-dialect.ts';

const schema = buildSchema(`
  type Query { products(first: Int, channel: String, where: Where, tags: [String]): Int }
  input Where { channelId: ID, and: [Where!] }
`);
const say = (query: string, variables: Record<string, unknown> = {}) => {
  const said = inSaleorsWords(query, variables, schema);
  return { query: said.query.replace(/\s+/g, ' ').trim(), variables: said.variables };
};

describe("a query in Saleor's words", () => {
  it('has no literal null: each becomes a variable of the type of its place', () => {
    expect(say('{ products(first: 1, channel: null) }')).toEqual({
      query: 'query ($null_0: String) { products(first: 1, channel: $null_0) }',
      variables: { null_0: null },
    });
    expect(
      say(
        'query Q($a: Int) { products(first: $a, where: { channelId: null, and: [{ channelId: null }] }) }',
        { a: 1 },
      ),
    ).toEqual({
      query:
        'query Q($a: Int, $null_0: ID, $null_1: ID) { products(first: $a, where: {channelId: $null_0, and: [{channelId: $null_1}]}) }',
      variables: { a: 1, null_0: null, null_1: null },
    });
  });

  it('has no null default and no block string', () => {
    expect(say('query Q($c: String = null) { products(channel: $c) }').query).toBe(
      'query Q($c: String) { products(channel: $c) }',
    );
    expect(say('{ products(channel: """default""") }').query).toBe('{ products(channel: "default") }');
  });

  it('goes through untouched when it has neither', () => {
    const query = '{   products(first:1)  }';
    expect(inSaleorsWords(query, {}, schema)).toEqual({ query, variables: {} });
  });
});

describe('entity calls', () => {
  const product = (n: number) => ({ __typename: 'Product', id: String(n), channel: 'c' });
  const order = (n: number) => ({ __typename: 'Order', id: String(n) });

  it('are of one type each, without duplicates, at most 100 keys, and their answers come back in the order asked', () => {
    const asked = [
      product(1),
      order(1),
      product(1),
      ...Array.from({ length: 150 }, (_, n) => product(n)),
      order(2),
    ];
    const { calls, place } = entityCalls(asked);
    expect(calls.map((call) => call.length)).toEqual([100, 2, 50]);
    for (const call of calls) expect(new Set(call.map((key) => key['__typename'])).size).toBe(1);
    const answers = calls.map((call) =>
      call.map((key) => `${String(key['__typename'])} ${String(key['id'])}`),
    );
    expect(place(answers)).toEqual(asked.map((key) => `${key.__typename} ${key.id}`));
  });

  it('answer null for what a failed call was asked', () => {
    const { place } = entityCalls([product(1), order(1)]);
    expect(place([['p'], null])).toEqual(['p', null]);
  });
});
