import type { Run } from '../runs/run.ts';

/** What was said in a conversation: the input or the output of one of its runs. */
export interface Message {
  readonly id: string;
  readonly role: 'USER' | 'ASSISTANT';
  readonly content: string;
  readonly at: Date;
}

/** The question of a run and, once it succeeded, its answer. */
export function messagesOf(run: Run): Message[] {
  const idOf = (role: string): string => Buffer.from(`Message:${run.id}:${role}`).toString('base64url');
  const question: Message = { id: idOf('user'), role: 'USER', content: run.input, at: run.requestedAt };
  if (run.output === null) return [question];
  return [
    question,
    { id: idOf('assistant'), role: 'ASSISTANT', content: run.output, at: run.finishedAt ?? run.requestedAt },
  ];
}
