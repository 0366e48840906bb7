import type { Branding } from '@agentstore/kernel/branding';
import type { Failure, Trouble } from './trouble.ts';

/** Of the socket, in the words that are shown. `idle`: nothing was opened yet. */
export type Connection = 'idle' | 'connecting' | 'open' | 'reconnecting' | 'offline';

/** A passage that an answer rests on; `number` is what `[n]` in the text means. */
export interface Citation {
  readonly number: number;
  readonly documentId: string;
  readonly documentName: string;
  readonly text: string;
  readonly page: number | null;
}

/** One call of a tool while an answer was made. */
export interface ToolStep {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** Null while it is under way. */
  readonly result: { readonly content: string; readonly isError: boolean } | null;
}

/** A thumb, and why. */
export interface Rating {
  readonly rating: 'UP' | 'DOWN';
  readonly reason: string | null;
}

/** What the visitor said. */
export interface Question {
  readonly role: 'visitor';
  /** The client's id of the message, and the idempotency key of its run. */
  readonly key: string;
  readonly text: string;
  /** `queued`: in the outbox, it is sent when there is a connection. */
  readonly state: 'queued' | 'sending' | 'sent' | 'failed';
  readonly failure: Failure | null;
}

/** What the agent said. */
export interface Answer {
  readonly role: 'agent';
  readonly key: string;
  readonly runId: string;
  readonly text: string;
  readonly state: 'waiting' | 'streaming' | 'done' | 'stopping' | 'stopped' | 'failed';
  readonly failure: Failure | null;
  readonly citations: readonly Citation[];
  readonly steps: readonly ToolStep[];
  readonly rating: Rating | null;
}
export type Message = Question | Answer;

/** An earlier talk of this visitor. */
export interface PastConversation {
  readonly id: string;
  readonly title: string;
  /** Milliseconds since 1970, for showing only. */
  readonly startedAt: number;
}

/** All that is drawn. Immutable: a change is another object, and what did not change is the same object. */
export interface ChatState {
  readonly connection: Connection;
  readonly trouble: Trouble | null;
  /** Null until the first session. */
  readonly branding: Branding | null;
  readonly limits: { readonly inputCharacters: number; readonly attachmentBytes: number };
  readonly identified: boolean;
  readonly conversationId: string | null;
  readonly messages: readonly Message[];
  /** Whether older messages of this conversation can be loaded. */
  readonly hasOlder: boolean;
  /** Null until they were asked for. */
  readonly conversations: readonly PastConversation[] | null;
  /** Answers that ended while the panel was closed. */
  readonly unread: number;
}

/** The talk with one agent: what the panel and the JavaScript API act on. No method throws; what goes wrong is in the state. */
export interface Chat {
  readonly state: ChatState;
  /** Calls back after each change, at most once per microtask; answers how to stop it. */
  subscribe(listener: () => void): () => void;
  /** The page carries the widget: asks for a session, which tells how it looks and whether it may be there, and sends what is unsent. */
  prepare(): Promise<void>;
  /** The panel is seen: asks for a session unless there is one, takes up the conversation and an answer under way. */
  open(): Promise<void>;
  /** The panel is not seen any more: answers that end from now on are unread. */
  close(): void;
  /** Says it, now or when there is a connection. Empty text is ignored. */
  send(text: string): void;
  /** Ends the answer under way, at the server. */
  stop(): void;
  /** Sends a failed question again under its key; for a failed or stopped answer, asks its question anew. */
  retry(key: string): void;
  rate(runId: string, rating: 'UP' | 'DOWN', reason?: string): Promise<void>;
  newConversation(): void;
  openConversation(id: string): Promise<void>;
  loadOlder(): Promise<void>;
  loadConversations(): Promise<void>;
  /** Who the visitor is, by a JWT of the customer's server or a function that gets one; null: nobody in particular again. */
  identify(identity: string | (() => Promise<string>) | null): Promise<void>;
  /** Forgets the visitor here and ends the session at the server. */
  reset(): Promise<void>;
  /** Closes everything; nothing can be done after it. */
  shutdown(): void;
}
