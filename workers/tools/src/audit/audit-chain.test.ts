import { expect, it } from 'vitest';
import {
  genesisHash,
  hashOfRecord,
  lookupOf,
  parseLine,
  printLine,
  verifyChain,
  type ChainLine,
  type ChainRecord,
} from './audit-chain.ts';

const bodies = Array.from({ length: 6 }, (_, index) =>
  JSON.stringify({
    at: '2026-01-01T00:00:00.000Z',
    id: `id-${index}`,
    kind: 'DECISION',
    toolId: 'orders__find',
  }),
);

/** A chain over bodies, computed anew: what somebody could do who may write everything. */
function chainOf(texts: readonly string[]): ChainRecord[] {
  let prevHash = genesisHash;
  return texts.map((body, index) => {
    const record = { seq: BigInt(index + 1), prevHash, body };
    const hash = hashOfRecord(record);
    prevHash = hash;
    return { ...record, hash };
  });
}
const whole = chainOf(bodies);
const at = (seq: number): ChainRecord => whole[seq - 1]!;
const [first, second, third, newest] = [at(1), at(2), at(3), at(6)];
const headOf = (records: readonly ChainRecord[]): ChainLine => {
  const { seq, hash } = records.at(-1)!;
  return { head: { seq, hash } };
};
const linesOf = async function* (lines: readonly (ChainLine | undefined)[]) {
  yield* lines;
};
const verdictOf = (lines: readonly (ChainLine | undefined)[], anchor?: string) =>
  verifyChain(linesOf(lines), anchor);
/** The chain with its n-th record (from 1) put otherwise; the head is kept. */
const withRecord = (n: number, change: Partial<ChainRecord>): ChainLine[] => [
  ...whole.map((record, index) => (index + 1 === n ? { ...record, ...change } : record)),
  headOf(whole),
];
/** A record edited, with its own hash computed again. */
const rehashed = (record: ChainRecord, body: string): ChainRecord => ({
  ...record,
  body,
  hash: hashOfRecord({ ...record, body }),
});

it('counts the records of a whole chain, and of one without any', async () => {
  expect(await verdictOf([...whole, headOf(whole)])).toEqual({
    records: 6,
    from: 1n,
    last: newest,
    fault: undefined,
  });
  expect(await verdictOf([{ head: { seq: 0n, hash: genesisHash } }])).toMatchObject({
    records: 0,
    fault: undefined,
  });
});

it('says where a range began, and looks at its inside as at a whole chain', async () => {
  const range = whole.slice(2);
  expect(await verdictOf([...range, headOf(range)])).toMatchObject({
    records: 4,
    from: 3n,
    fault: undefined,
  });
});

it.each<[string, (ChainLine | undefined)[], string, bigint]>([
  ['a body was edited', withRecord(3, { body: bodies[0]! }), 'HASH', 3n],
  ['a hash was edited', withRecord(3, { hash: 'f'.repeat(64) }), 'HASH', 3n],
  ['a body was edited and hashed again', withRecord(3, rehashed(third, bodies[0]!)), 'LINK', 4n],
  ['a link was edited', withRecord(3, { prevHash: 'f'.repeat(64) }), 'LINK', 3n],
  ['the first link was edited', withRecord(1, { prevHash: 'f'.repeat(64) }), 'LINK', 1n],
  ['a record was taken out', [first, second, ...whole.slice(3), headOf(whole)], 'GAP', 4n],
  ['two records changed places', [first, third, second, ...whole.slice(3), headOf(whole)], 'GAP', 3n],
  ['a record comes twice', [first, first, ...whole.slice(1), headOf(whole)], 'ORDER', 1n],
  ['the end was removed', [...whole.slice(0, 4), headOf(whole)], 'HEAD', 4n],
  ['the end and the head were removed', whole.slice(0, 4), 'END', 4n],
  ['the newest record was edited and hashed again', withRecord(6, rehashed(newest, bodies[0]!)), 'HEAD', 6n],
  ['something was put after the head', [...whole, headOf(whole), first], 'END', 7n],
  ['a line is no record', [first, undefined, ...whole.slice(1), headOf(whole)], 'MALFORMED', 2n],
  ['all records were removed', [headOf(whole)], 'HEAD', 0n],
])('finds that %s', async (_what, lines, code, seq) => {
  const { fault } = await verdictOf(lines);
  expect(fault).toMatchObject({ code, ...(seq > 0n ? { seq } : {}) });
});

it('says how many records are whole before the first fault', async () => {
  expect(await verdictOf(withRecord(4, { body: '{}' }))).toMatchObject({ records: 3, fault: { seq: 4n } });
});

it('tells a chain whose end was removed, or that was computed anew, by a head kept from before', async () => {
  const kept = newest.hash;
  const shorter = whole.slice(0, 4);
  const longer = chainOf([...bodies, '{}']);
  const forged = chainOf([bodies[0]!, '{}', ...bodies.slice(2)]);
  expect(await verdictOf([...shorter, headOf(shorter)])).toMatchObject({ fault: undefined });
  expect(await verdictOf([...shorter, headOf(shorter)], kept)).toMatchObject({ fault: { code: 'HEAD' } });
  expect(await verdictOf([...forged, headOf(forged)])).toMatchObject({ fault: undefined });
  expect(await verdictOf([...forged, headOf(forged)], kept)).toMatchObject({ fault: { code: 'HEAD' } });
  expect(await verdictOf([...longer, headOf(longer)], kept)).toMatchObject({ fault: undefined });
});

it('finds that a column of the store is not what the body says', async () => {
  const lookup = lookupOf(JSON.parse(first.body) as Record<string, unknown>);
  const stored = (organizationId: string): ChainLine[] => [
    { ...first, lookup: { ...lookup, organizationId } },
    headOf([first]),
  ];
  expect(await verdictOf(stored(''))).toMatchObject({ fault: undefined });
  expect(await verdictOf(stored('another'))).toMatchObject({ fault: { code: 'COLUMNS', seq: 1n } });
});

it('reads the lines that it prints, and nothing else', () => {
  for (const line of [first, headOf(whole)]) expect(parseLine(printLine(line))).toEqual(line);
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    printLine(first).replace('"1"', '1'),
    printLine(first).slice(1),
  ])
    expect(parseLine(text)).toBeUndefined();
});
