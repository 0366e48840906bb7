import type { Failure, Trouble } from '../chat/trouble.ts';

/** Every string that a visitor sees or hears, in one language. A word that a language lacks does not compile. */
export interface Words {
  /** BCP 47; for dates and numbers too. */
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';

  /** Name of the launcher, and of the panel's close button. */
  readonly open: string;
  readonly close: string;
  /** Added to the launcher's name while there are answers that nobody saw. */
  readonly unread: (count: number) => string;

  /** Under the agent's name: says that it is no human. */
  readonly aiAgent: string;
  /** Where there is no name yet. */
  readonly agent: string;
  readonly menu: string;
  readonly newConversation: string;
  readonly history: string;
  readonly back: string;
  readonly downloadMarkdown: string;
  readonly downloadJson: string;

  /** First words of the agent, where the branding has none. */
  readonly greeting: string;
  /** Name of the list of prompts that can be sent with one press. */
  readonly suggestions: string;

  /** Name of the transcript for screen readers. */
  readonly transcript: string;
  /** How the transcript is walked; read when it gets the focus. */
  readonly transcriptHelp: string;
  readonly olderMessages: string;
  readonly latestMessages: string;
  /** Who spoke, before a message, for screen readers. */
  readonly youSaid: string;
  readonly agentSaid: (name: string) => string;

  readonly composer: string;
  readonly send: string;
  readonly stop: string;
  readonly stopping: string;
  /** Enter was pressed while an answer is being written. */
  readonly answerFirst: string;
  /** Small print under the composer. */
  readonly disclaimer: string;
  readonly charactersLeft: (count: number) => string;
  readonly charactersOver: (count: number) => string;

  readonly attach: string;
  readonly dropHere: string;
  readonly removeFile: (name: string) => string;
  /** `limit` is written out already, with its unit. */
  readonly fileTooLarge: (name: string, limit: string) => string;
  readonly fileNotText: (name: string) => string;

  /** Announced when an answer begins; seen as the label of the three dots. */
  readonly writing: string;
  readonly stopped: string;
  /** The message is in the outbox. */
  readonly queued: string;
  readonly sending: string;
  readonly retry: string;

  readonly copy: string;
  readonly copied: string;
  readonly good: string;
  readonly bad: string;
  readonly whyBad: string;
  readonly sendReason: string;
  readonly thanks: string;

  readonly sources: (count: number) => string;
  readonly source: (number: number, name: string) => string;
  readonly page: (page: number) => string;

  /** Head of the tool steps while one is under way, and when all are done. */
  readonly usingTool: (name: string) => string;
  readonly toolsUsed: (count: number) => string;
  readonly toolRunning: string;
  readonly toolDone: string;
  readonly toolFailed: string;
  readonly toolInput: string;
  readonly toolResult: string;

  readonly noHistory: string;
  readonly loading: string;

  readonly connecting: string;
  readonly reconnecting: string;
  readonly offline: string;
  readonly connectedAgain: string;

  readonly troubles: Readonly<Record<Exclude<Trouble['kind'], 'rate-limited'>, string>>;
  readonly rateLimited: (seconds: number) => string;
  readonly failures: Readonly<Record<Failure, string>>;
}

/** Names of the words, with a dot where they are one of several. */
export type WordKey =
  | Exclude<keyof Words, 'locale' | 'dir' | 'troubles' | 'failures'>
  | `troubles.${keyof Words['troubles']}`
  | `failures.${keyof Words['failures']}`;

/** What a site says in place of the widget's own words, as plain text. */
export type SiteWords = Readonly<Partial<Record<WordKey, string>>>;
