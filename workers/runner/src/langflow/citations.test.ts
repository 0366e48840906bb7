import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Citation } from '@agentstore/kernel/citation';
import { createCitations } from './citations.ts';
import type { MappedEvent } from './mapped-event.ts';

const passage = (chunkId: string, more: Partial<Citation> = {}): Citation => ({
  documentId: 'RG9jdW1lbnQ6MQ',
  documentName: 'espresso-machine.pdf',
  chunkId,
  text: `text of ${chunkId}`,
  score: 0.5,
  page: 2,
  ...more,
});
const starts = (messageId: string): MappedEvent => ({
  kind: 'TextMessageStart',
  payload: { messageId, role: 'assistant' },
});
const chunksOf = (events: readonly MappedEvent[]) =>
  events.map(({ payload }) => (payload['citation'] as Citation).chunkId);

it('tells with a message what was found before it, and nothing with any other event', () => {
  const citations = createCitations(10);
  citations.hold('call', [passage('a')]);
  expect(citations.after({ kind: 'TextMessageContent', payload: { messageId: 'm', delta: 'x' } })).toEqual(
    [],
  );
  expect(citations.after(starts('m'))).toEqual([
    { kind: 'CitationAdded', payload: { messageId: 'm', citation: passage('a') } },
  ]);
  expect(citations.after(starts('n'))).toEqual([]);
});

it('tells a passage that two calls found once, with what was said of it first', () => {
  const citations = createCitations(10);
  citations.hold('1', [passage('a', { score: 0.9 }), passage('b')]);
  citations.hold('2', [passage('c'), passage('a', { score: 0.1 })]);
  const told = citations.after(starts('m'));
  expect(chunksOf(told)).toEqual(['a', 'b', 'c']);
  expect(told[0]!.payload['citation']).toMatchObject({ score: 0.9 });
});

it('tells no more of a run than it may, in texts that a store can hold', () => {
  const citations = createCitations(2);
  citations.hold('1', [passage('a', { text: 'a\0\ud800' })]);
  expect(citations.after(starts('m'))[0]!.payload['citation']).toMatchObject({ text: 'a\ufffd' });
  citations.hold('2', [passage('b'), passage('c')]);
  expect(chunksOf(citations.after(starts('n')))).toEqual(['b']);
});

/** What happens in a run: a call is answered, maybe once more; a message begins. */
type Step =
  | { readonly kind: 'answer'; readonly call: number; readonly chunks: readonly number[] }
  | { readonly kind: 'message' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('answer' as const),
    call: fc.nat(5),
    chunks: fc.array(fc.nat(8), { maxLength: 4 }),
  }),
  fc.constant({ kind: 'message' as const }),
);

it('tells in any interleaving each passage of an answer once, in order, with the next message', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const citations = createCitations(1_000);
      const told: string[][] = [];
      const expected: string[][] = [];
      const answered = new Set<number>();
      let waiting: string[] = [];
      for (const [at, now] of steps.entries()) {
        if (now.kind === 'message') {
          told.push(chunksOf(citations.after(starts(`m${at}`))));
          expected.push(waiting);
          waiting = [];
          continue;
        }
        const chunks = now.chunks.map(String);
        citations.hold(
          `${now.call}`,
          chunks.map((chunk) => passage(chunk)),
        );
        if (!answered.has(now.call)) waiting = [...new Set([...waiting, ...chunks])];
        answered.add(now.call);
      }
      expect(told).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
