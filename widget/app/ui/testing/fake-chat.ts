import type { Branding } from '@agentstore/kernel/branding';
import type { Answer, Chat, ChatState, Question } from '../../chat/chat-state.ts';

export const branding: Branding = {
  brandName: 'Nordlicht Support',
  logoUrl: null,
  avatarUrl: null,
  primaryColor: '#1f5eff',
  accentColor: '#1f5eff',
  fontFamily: 'system-ui',
  launcherText: '',
  position: 'BOTTOM_RIGHT',
  colorScheme: 'AUTO',
  greeting: null,
  suggestedPrompts: ['Where is my order?', 'How do I return a lamp?'],
  showToolSteps: true,
};

export const question = (key: string, text: string, rest: Partial<Question> = {}): Question => ({
  role: 'visitor',
  key,
  text,
  state: 'sent',
  failure: null,
  ...rest,
});

export const answer = (key: string, text: string, rest: Partial<Answer> = {}): Answer => ({
  role: 'agent',
  key,
  runId: `run-${key}`,
  text,
  state: 'done',
  failure: null,
  citations: [],
  steps: [],
  rating: null,
  ...rest,
});

/** A talk whose state the test sets; `calls` is what was asked of it, as `name` and arguments. */
export interface FakeChat extends Chat {
  readonly calls: readonly (readonly [name: keyof Chat, ...args: unknown[]])[];
  become(state: Partial<ChatState>): void;
}

export function createFakeChat(from: Partial<ChatState> = {}): FakeChat {
  let state: ChatState = {
    connection: 'open',
    trouble: null,
    branding,
    limits: { inputCharacters: 1_000, attachmentBytes: 2_048 },
    identified: false,
    conversationId: null,
    messages: [],
    hasOlder: false,
    conversations: null,
    unread: 0,
    ...from,
  };
  const listeners = new Set<() => void>();
  const calls: [keyof Chat, ...unknown[]][] = [];
  const note =
    (name: keyof Chat) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args]);
  const noteLater =
    (name: keyof Chat) =>
    (...args: unknown[]): Promise<void> =>
      Promise.resolve(note(name)(...args));
  return {
    get state() {
      return state;
    },
    calls,
    become: (change) => {
      state = { ...state, ...change };
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    prepare: noteLater('prepare'),
    open: noteLater('open'),
    close: note('close'),
    send: note('send'),
    stop: note('stop'),
    retry: note('retry'),
    rate: noteLater('rate'),
    newConversation: note('newConversation'),
    openConversation: noteLater('openConversation'),
    loadOlder: noteLater('loadOlder'),
    loadConversations: noteLater('loadConversations'),
    identify: noteLater('identify'),
    reset: noteLater('reset'),
    shutdown: note('shutdown'),
  };
}
