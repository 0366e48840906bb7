import type { ChatState } from '../chat/chat-state.ts';
import type { Trouble } from '../chat/trouble.ts';
import type { Words } from '../locales/words.ts';

export const troubleText = (trouble: Trouble, words: Words): string =>
  trouble.kind === 'rate-limited'
    ? words.rateLimited(trouble.retryAfterSeconds)
    : words.troubles[trouble.kind];

/** Whether it is of no use to write now: nothing but the site's owner or another visit can change it. */
export const isShut = ({ trouble }: ChatState): boolean =>
  trouble !== null && trouble.kind !== 'rate-limited' && trouble.kind !== 'unavailable';

/** Whether what is said now has to wait for the store. */
export const isCutOff = ({ connection, trouble }: ChatState): boolean =>
  trouble !== null || connection === 'offline' || connection === 'reconnecting';
