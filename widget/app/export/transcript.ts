import type { Message } from '../chat/chat-state.ts';
import type { Words } from '../locales/words.ts';

interface Naming {
  readonly words: Words;
  /** Of the agent. */
  readonly name: string;
}

/** The conversation to read: each message under who said it, sources as a list. */
export function transcriptMarkdown(messages: readonly Message[], { words, name }: Naming): string {
  const said = messages.map((message) => {
    if (message.role === 'visitor') return `**${words.youSaid}**\n\n${message.text}`;
    const sources = message.citations.map(
      ({ number, documentName, page }) =>
        `- [${number}] ${documentName}${page === null ? '' : `, ${words.page(page)}`}`,
    );
    return [`**${words.agentSaid(name)}**`, message.text, sources.join('\n')].filter(Boolean).join('\n\n');
  });
  return `# ${name}\n\n${said.join('\n\n---\n\n')}\n`;
}

/** The conversation for programs. */
export const transcriptJson = (messages: readonly Message[], { name }: Naming): string =>
  `${JSON.stringify(
    {
      agent: name,
      messages: messages.map((message) =>
        message.role === 'visitor'
          ? { role: message.role, text: message.text, state: message.state }
          : {
              role: message.role,
              text: message.text,
              state: message.state,
              runId: message.runId,
              citations: message.citations,
              rating: message.rating,
            },
      ),
    },
    null,
    2,
  )}\n`;
