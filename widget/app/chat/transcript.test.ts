import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { longAnswer } from '../testing/scripts.ts';
import { followRun, type Cell } from './follow-run.ts';
import type { RunEvent } from './run-event.ts';
import { applyEvent, beginTranscript, transcriptOf, type Transcript } from './transcript.ts';

const truth = longAnswer(30);
const log = truth.events.map((event, index) => ({ ...event, seq: index + 1 }) as unknown as RunEvent);
const whole = log.reduce(applyEvent, beginTranscript('r'));

describe('a transcript', () => {
  it('is what the events say', () => {
    expect(whole).toMatchObject({ lastSeq: log.length, isEnded: true });
    expect(whole.answer).toEqual({
      role: 'agent',
      key: 'r',
      runId: 'r',
      text: truth.text,
      state: 'done',
      failure: null,
      citations: truth.citations,
      steps: truth.steps,
      rating: null,
    });
  });

  it('is the same object after an event that it knows', () => {
    const half = log.slice(0, 20).reduce(applyEvent, beginTranscript('r'));
    for (const event of log.slice(0, 20)) expect(applyEvent(half, event)).toBe(half);
  });

  it('keeps its parts where they did not change', () => {
    const before = log.slice(0, 20).reduce(applyEvent, beginTranscript('r'));
    const after = applyEvent(before, log[20]!);
    expect(after.answer.text.length).toBeGreaterThan(before.answer.text.length);
    expect(after.answer.steps).toBe(before.answer.steps);
    expect(after.answer.citations).toBe(before.answer.citations);
  });

  it('has a blank line between two messages of a run', () => {
    const said = (['a', 'a', 'b'] as const).map((messageId, n): RunEvent => ({
      __typename: 'TextMessageContent',
      seq: n + 1,
      messageId,
      delta: `${n}`,
    }));
    expect(said.reduce(applyEvent, beginTranscript('r')).answer.text).toBe('01\n\n2');
  });

  it('numbers a passage that is cited twice once', () => {
    const cited = ['k1', 'k2', 'k1'].map((chunkId, n): RunEvent => ({
      __typename: 'CitationAdded',
      seq: n + 1,
      citation: { documentId: 'd', documentName: 'doc', chunkId, text: chunkId, page: null },
    }));
    const { citations } = cited.reduce(applyEvent, beginTranscript('r')).answer;
    expect(citations.map(({ number, text }) => [number, text])).toEqual([
      [1, 'k1'],
      [2, 'k2'],
    ]);
  });

  it('of a history is that of its events', () => {
    const past = transcriptOf({
      id: 'r',
      state: 'SUCCEEDED',
      input: 'q',
      output: truth.text,
      error: null,
      rating: null,
      lastSeq: log.length,
      events: log.map((event) => (/^(Tool|Cit)/.test(event.__typename) ? event : {})) as never,
    });
    expect(past.answer).toEqual(whole.answer);
    expect(past).toMatchObject({ lastSeq: log.length, isEnded: true });
  });

  it('of 20,000 pieces takes as many steps', () => {
    let transcript = beginTranscript('r');
    for (let seq = 1; seq <= 20_000; seq += 1)
      transcript = applyEvent(transcript, {
        __typename: 'TextMessageContent',
        seq,
        messageId: 'm',
        delta: 'word ',
      });
    expect(transcript.answer.text).toBe('word '.repeat(20_000));
  });
});

describe('whatever is cut, sent twice, left out or sent too early', () => {
  /** One subscription: where it begins before what was asked for, how far it comes, and which events come in what order. */
  const stream = fc.record({
    overlap: fc.nat(12),
    length: fc.nat(25),
    twice: fc.array(fc.nat(25), { maxLength: 4 }),
    leftOut: fc.array(fc.nat(25), { maxLength: 3 }),
    swapped: fc.array(fc.nat(25), { maxLength: 3 }),
  });

  it('a followed run has the same transcript in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stream, { maxLength: 12 }), async (streams) => {
        const todo = [...streams];
        const published: Transcript[] = [beginTranscript('r')];
        const cell: Cell = {
          get transcript() {
            return published.at(-1)!;
          },
          set transcript(transcript) {
            published.push(transcript);
          },
        };
        const connection: Pick<Connection, 'follow' | 'request' | 'failed'> = {
          follow: async ({ variables, next }) => {
            const after = variables()['after'] as number;
            const plan = todo.shift();
            let events = log.slice(after);
            if (plan) {
              const { overlap, length, twice, leftOut, swapped } = plan;
              events = log.slice(Math.max(0, after - overlap), after - overlap + length);
              for (const n of twice) events.splice(n, 0, ...events.slice(n, n + 1));
              for (const n of leftOut) events.splice(n, 1);
              for (const n of swapped) events.splice(n, 2, ...events.slice(n, n + 2).toReversed());
            }
            for (const runEvents of events) if (next({ runEvents } as never)) return;
          },
          // What a run says of itself tells nothing of its events while it is under way.
          request: async () => ({ run: { id: 'r', state: 'RUNNING', rating: null } }) as never,
          failed: () => undefined,
        };
        await followRun(connection as Connection, cell, new AbortController().signal);
        expect(cell.transcript.answer).toEqual(whole.answer);
        const texts = published.map(({ answer }) => answer.text);
        expect(texts.every((text, n) => n === 0 || text.startsWith(texts[n - 1]!))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
