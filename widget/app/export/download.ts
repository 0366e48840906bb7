import type { Message } from '../chat/chat-state.ts';
import type { Words } from '../locales/words.ts';
import { transcriptJson, transcriptMarkdown } from './transcript.ts';

const kinds = {
  markdown: { write: transcriptMarkdown, type: 'text/markdown;charset=utf-8', ending: 'md' },
  json: { write: transcriptJson, type: 'application/json', ending: 'json' },
};

/** Saves the conversation as a file on the visitor's computer. */
export function downloadTranscript(
  kind: keyof typeof kinds,
  messages: readonly Message[],
  naming: { readonly words: Words; readonly name: string },
): void {
  const { write, type, ending } = kinds[kind];
  const url = URL.createObjectURL(new Blob([write(messages, naming)], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${naming.name.replace(/[^\p{L}\p{N}]+/gu, '-')}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
