import type { ChatState } from './chat-state.ts';

/** The one place of the state. */
export interface Store {
  readonly state: ChatState;
  /** Another object only where something changed. */
  set(change: Partial<ChatState>): void;
  subscribe(listener: () => void): () => void;
}

const firstState: ChatState = {
  connection: 'idle',
  trouble: null,
  branding: null,
  limits: { inputCharacters: 32_000, attachmentBytes: 65_536 },
  identified: false,
  conversationId: null,
  messages: [],
  hasOlder: false,
  conversations: null,
  unread: 0,
};

export function createStore(): Store {
  const listeners = new Set<() => void>();
  let state = firstState;
  let isTelling = false;

  function tell(): void {
    isTelling = false;
    for (const listener of listeners) listener();
  }

  return {
    get state() {
      return state;
    },
    set: (change) => {
      const names = Object.keys(change) as (keyof ChatState)[];
      if (names.every((name) => change[name] === state[name])) return;
      state = { ...state, ...change };
      if (!isTelling) queueMicrotask(tell);
      isTelling = true;
    },
    subscribe: (listener) => {
      // Wrapped, so that two of the same are two.
      const mine = () => listener();
      listeners.add(mine);
      return () => listeners.delete(mine);
    },
  };
}
