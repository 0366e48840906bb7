import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Branding } from '@agentstore/kernel/branding';
import type { Chat } from '../chat/chat-state.ts';
import type { Words } from '../locales/words.ts';

/** What every part of the panel needs. Another object only when one of its members is another. */
export interface Shared {
  readonly chat: Chat;
  readonly words: Words;
  readonly branding: Branding | null;
  /** Of the agent; the language's own word before the branding is there. */
  readonly name: string;
  /** Tells a screen reader. */
  readonly say: (text: string) => void;
}

export const SharedContext = createContext<Shared>(undefined as never);
export const useShared = (): Shared => useContext(SharedContext);
