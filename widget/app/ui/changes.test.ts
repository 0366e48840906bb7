import { expect, it } from 'vitest';
import type { ChatState } from '../chat/chat-state.ts';
import { words } from '../locales/en.ts';
import { changesOf } from './changes.ts';
import { sayChange } from './tell-changes.ts';
import { answer, createFakeChat, question } from './testing/fake-chat.ts';

const state = (change: Partial<ChatState>): ChatState => createFakeChat(change).state;
const between = (before: Partial<ChatState>, after: Partial<ChatState>) =>
  changesOf(state(before), { ...state(before), ...after });
const kinds = (...states: Parameters<typeof between>) => between(...states).map(({ kind }) => kind);
const said = (...states: Parameters<typeof between>): string[] => {
  const texts: string[] = [];
  for (const change of between(...states)) sayChange(change, words, (text) => texts.push(text));
  return texts;
};

it.each([
  ['a new question', {}, { messages: [question('1', 'a', { state: 'sending' })] }, ['asked']],
  ['a question of the past', {}, { messages: [question('1', 'a')] }, []],
  [
    'a question that failed',
    { messages: [question('1', 'a', { state: 'sending' })] },
    { messages: [question('1', 'a', { state: 'failed', failure: 'out-of-credits' })] },
    ['question-failed'],
  ],
  ['an answer under way', {}, { messages: [answer('1', '', { state: 'waiting' })] }, ['answer-begun']],
  ['an answer of the past', {}, { messages: [answer('1', 'a')] }, []],
  [
    'an answer that grows',
    { messages: [answer('1', 'a', { state: 'streaming' })] },
    { messages: [answer('1', 'ab', { state: 'streaming' })] },
    [],
  ],
  [
    'an answer that ended',
    { messages: [answer('1', 'a', { state: 'streaming' })] },
    { messages: [answer('1', 'ab')] },
    ['answer-ended'],
  ],
  [
    'a rating',
    { messages: [answer('1', 'a')] },
    { messages: [answer('1', 'a', { rating: { rating: 'UP', reason: null } })] },
    ['rated'],
  ],
  [
    'a question and an answer under one key',
    {},
    { messages: [question('1', 'a'), answer('1', '', { state: 'waiting' })] },
    ['answer-begun'],
  ],
  ['trouble', {}, { trouble: { kind: 'paused' } }, ['trouble']],
  [
    'the same trouble, counting down',
    { trouble: { kind: 'rate-limited', retryAfterSeconds: 9 } },
    { trouble: { kind: 'rate-limited', retryAfterSeconds: 8 } },
    [],
  ],
  ['the connection', {}, { connection: 'offline' }, ['connection']],
  ['unread answers', {}, { unread: 1 }, ['unread']],
] as const)('sees %s', (_what, before, after, changes) => {
  expect(kinds(before as Partial<ChatState>, after as Partial<ChatState>)).toEqual(changes);
});

it('reads an answer without the signs of Markdown, with how it ended', () => {
  const before = { messages: [answer('1', '', { state: 'waiting' })] };
  const text =
    '## Dear *you*\n\n- **One** [1] and `two`\n- see [there](https://a.example)\n\n```js\nx()\n```';
  expect(said(before, { messages: [answer('1', text)] })).toEqual(['Dear you One and two see there x()']);
  expect(said(before, { messages: [answer('1', 'So', { state: 'stopped' })] })).toEqual([
    `So ${words.stopped}`,
  ]);
  expect(
    said(before, { messages: [answer('1', '', { state: 'failed', failure: 'out-of-credits' })] }),
  ).toEqual([words.failures['out-of-credits']]);
});

it('tells of a connection that was lost and is back, and not of the first one', () => {
  expect(said({ connection: 'idle' }, { connection: 'connecting' })).toEqual([]);
  expect(said({ connection: 'connecting' }, { connection: 'open' })).toEqual([]);
  expect(said({ connection: 'open' }, { connection: 'reconnecting' })).toEqual([words.reconnecting]);
  expect(said({ connection: 'reconnecting' }, { connection: 'open' })).toEqual([words.connectedAgain]);
});
