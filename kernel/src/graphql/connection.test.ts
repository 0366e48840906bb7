import { expect, it } from 'vitest';
import { uuidv7 } from '../ids.ts';
import { pageOf, pageRequest } from './connection.ts';

const cursor = (key: string) => Buffer.from(key).toString('base64url');
const id = uuidv7();

it('reads 20 from the start unless something else is asked for', () => {
  expect(pageRequest({})).toEqual({ first: 20, afterKey: null });
  expect(pageRequest({ first: 100, after: cursor(id) })).toEqual({ first: 100, afterKey: id });
  expect(pageRequest({ after: cursor('9223372036854775807') }, 'seq').afterKey).toBe('9223372036854775807');
});

it.each([0, -1, 101])('refuses a page of %s', (first) =>
  expect(() => pageRequest({ first })).toThrow(
    expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } }),
  ),
);

it.each<['uuid' | 'seq', string, string]>([
  ['uuid', 'of a list by sequence number', '17'],
  ['uuid', 'with an id in capitals', id.toUpperCase()],
  ['uuid', 'that is empty', ''],
  ['seq', 'of a list by id', id],
  ['seq', 'above what a bigint holds', '9223372036854775808'],
  ['seq', 'of 19 nines', '9999999999999999999'],
  ['seq', 'below zero', '-1'],
  ['seq', 'that is empty', ''],
])('refuses in a list by %s a cursor %s, before it reaches SQL', (key, _name, after) =>
  expect(() => pageRequest({ after: cursor(after) }, key)).toThrow(
    expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } }),
  ),
);

it('gives each page where the next one begins, whichever its key', () => {
  const rows = [5n, 4n, 3n, 2n, 1n];
  const seen: bigint[] = [];
  let after: string | null = null;
  do {
    const request = pageRequest({ first: 2, after }, 'seq');
    const rest = rows.filter((row) => request.afterKey === null || row < BigInt(request.afterKey));
    const page = pageOf(rest.slice(0, 3), request, String);
    seen.push(...page.edges.map(({ node }) => node));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(rows);
});
