import type { Citation, ToolStep } from '../chat/chat-state.ts';
import type { Scripted } from './demo-store.ts';

/** What an answer must be at the end of a script. */
export interface Truth {
  readonly events: readonly Scripted[];
  readonly text: string;
  readonly citations: readonly Citation[];
  readonly steps: readonly ToolStep[];
}

/** A run with tools, citations, kinds that nobody knows and so many pieces of text. */
export function longAnswer(pieces: number): Truth {
  const words = Array.from({ length: pieces }, (_, n) => `w${n} `);
  const cited = [3, null].map((page, n) => ({
    documentId: `d${n}`,
    documentName: `doc${n}.pdf`,
    text: `Passage ${n}.`,
    page,
  }));
  const text = words.join('');
  return {
    text,
    citations: cited.map((passage, n) => ({ number: n + 1, ...passage })),
    steps: [
      { id: 't1', name: 'find_order', arguments: '{"n":7}', result: { content: 'sent', isError: false } },
      { id: 't2', name: 'get_status', arguments: '', result: { content: 'down', isError: true } },
    ],
    events: [
      { __typename: 'RunStarted', conversationId: 'c' },
      { __typename: 'RunEventWithheld' },
      { __typename: 'ToolCallStart', toolCallId: 't1', toolName: 'find_order' },
      { __typename: 'ToolCallArgs', toolCallId: 't1', delta: '{"n":' },
      { __typename: 'ToolCallStart', toolCallId: 't2', toolName: 'get_status' },
      { __typename: 'ToolCallArgs', toolCallId: 't1', delta: '7}' },
      { __typename: 'ToolCallResult', toolCallId: 't2', content: 'down', isError: true },
      { __typename: 'ToolCallResult', toolCallId: 't1', content: 'sent', isError: false },
      { __typename: 'TextMessageStart', messageId: 'm1' },
      ...cited.map((passage, n) => ({
        __typename: 'CitationAdded',
        messageId: 'm1',
        citation: { ...passage, chunkId: `k${n}`, score: 0.5 },
      })),
      ...words.map((delta) => ({ __typename: 'TextMessageContent', messageId: 'm1', delta })),
      { __typename: 'TextMessageEnd', messageId: 'm1' },
      { __typename: 'RunFinished', output: text },
    ],
  };
}

export const shortAnswer = (text: string): readonly Scripted[] => [
  { __typename: 'RunStarted', conversationId: 'c' },
  { __typename: 'TextMessageContent', messageId: 'm1', delta: text },
  { __typename: 'RunFinished', output: text },
];
