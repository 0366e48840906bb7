import { expect, it } from 'vitest';
import { words } from '../locales/en.ts';
import { answer, question } from '../ui/testing/fake-chat.ts';
import { transcriptJson, transcriptMarkdown } from './transcript.ts';

const citations = [{ number: 1, documentId: 'd', documentName: 'Handbook', text: 'The passage.', page: 3 }];
const talk = [question('1', 'Where?'), answer('1', 'Here [1].', { citations })];

it('writes the conversation as Markdown, with its sources', () => {
  expect(transcriptMarkdown(talk, { words, name: 'Nordlicht' })).toBe(
    '# Nordlicht\n\n**You said:**\n\nWhere?\n\n---\n\n**Nordlicht said:**\n\nHere [1].\n\n- [1] Handbook, page 3\n',
  );
});

it('writes it as JSON', () => {
  expect(JSON.parse(transcriptJson(talk, { words, name: 'Nordlicht' }))).toEqual({
    agent: 'Nordlicht',
    messages: [
      { role: 'visitor', text: 'Where?', state: 'sent' },
      { role: 'agent', text: 'Here [1].', state: 'done', runId: 'run-1', citations, rating: null },
    ],
  });
});
