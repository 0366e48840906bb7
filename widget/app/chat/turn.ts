import type { Message, Question } from './chat-state.ts';
import type { PastRun } from './run-event.ts';
import { transcriptOf, type Transcript } from './transcript.ts';
import type { Failure } from './trouble.ts';

/** A question and, once the server took it, its run. */
export interface Turn {
  readonly question: Question;
  readonly transcript: Transcript | null;
}

export const askedTurn = (key: string, text: string, failure: Failure | null = null): Turn => ({
  question: { role: 'visitor', key, text, state: failure ? 'failed' : 'queued', failure },
  transcript: null,
});

/** Of a history, which does not know the keys of questions. */
export const pastTurn = (run: PastRun): Turn => ({
  question: { role: 'visitor', key: `question-of-${run.id}`, text: run.input, state: 'sent', failure: null },
  transcript: transcriptOf(run),
});

export const runIdOf = (turn: Turn): string | undefined => turn.transcript?.answer.runId;

export const isWaiting = ({ question: { state } }: Turn): boolean =>
  state === 'queued' || state === 'sending';

export const messagesOf = (turns: readonly Turn[]): Message[] =>
  turns.flatMap(({ question, transcript }) => (transcript ? [question, transcript.answer] : [question]));

/**
 * The turns with those of a page of history (newest first), each once and in the server's order: behind what is there (`newest`), or before it.
 * What is there already stays, since it is followed.
 */
export function mergeTurns(
  turns: readonly Turn[],
  page: readonly Turn[],
  side: 'newest' | 'older',
): readonly Turn[] {
  const merged = [...turns];
  const unsent = turns.findIndex(({ transcript }) => !transcript);
  let at = side === 'older' ? 0 : unsent < 0 ? turns.length : unsent;
  for (const turn of page) {
    const known = merged.findIndex((one) => runIdOf(one) === runIdOf(turn));
    if (known < 0) merged.splice(at, 0, turn);
    else at = known;
  }
  return merged;
}
