import type { Answer, ChatState, Connection, Question, Rating } from '../chat/chat-state.ts';
import type { Trouble } from '../chat/trouble.ts';
import { isCutOff } from './notice-text.ts';

/** What a visitor is told, and a page can listen to. */
export type Change =
  | { readonly kind: 'asked'; readonly question: Question; readonly cutOff: boolean }
  | { readonly kind: 'question-failed'; readonly question: Question }
  | { readonly kind: 'answer-begun' | 'answer-ended'; readonly answer: Answer }
  | { readonly kind: 'rated'; readonly answer: Answer; readonly rating: Rating }
  | { readonly kind: 'connection'; readonly from: Connection; readonly to: Connection }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }
  | { readonly kind: 'unread'; readonly count: number };

export const isUnderWay = ({ state }: Answer): boolean =>
  state === 'waiting' || state === 'streaming' || state === 'stopping';

/** What happened between two states. Messages that were loaded as they are did not happen. */
export function changesOf(before: ChatState, after: ChatState): readonly Change[] {
  const changes: Change[] = [];
  if (after.messages !== before.messages) {
    const known = new Map(before.messages.map((message) => [message.role + message.key, message]));
    for (const message of after.messages) {
      const was = known.get(message.role + message.key);
      if (was === message) continue;
      if (message.role === 'visitor')
        changes.push(...changesOfQuestion(was as Question | undefined, message, isCutOff(after)));
      else changes.push(...changesOfAnswer(was as Answer | undefined, message));
    }
  }
  if (after.connection !== before.connection)
    changes.push({ kind: 'connection', from: before.connection, to: after.connection });
  if (after.trouble && after.trouble.kind !== before.trouble?.kind)
    changes.push({ kind: 'trouble', trouble: after.trouble });
  if (after.unread !== before.unread) changes.push({ kind: 'unread', count: after.unread });
  return changes;
}

function* changesOfQuestion(
  was: Question | undefined,
  question: Question,
  cutOff: boolean,
): Iterable<Change> {
  if (!was && (question.state === 'queued' || question.state === 'sending'))
    yield { kind: 'asked', question, cutOff };
  if (question.state === 'failed' && was && was.state !== 'failed')
    yield { kind: 'question-failed', question };
}

function* changesOfAnswer(was: Answer | undefined, answer: Answer): Iterable<Change> {
  if (isUnderWay(answer) && !(was && isUnderWay(was))) yield { kind: 'answer-begun', answer };
  if (was && isUnderWay(was) && !isUnderWay(answer)) yield { kind: 'answer-ended', answer };
  if (was && answer.rating && answer.rating !== was.rating)
    yield { kind: 'rated', answer, rating: answer.rating };
}
