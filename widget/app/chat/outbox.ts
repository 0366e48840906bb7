import type { Kept, Unsent } from './kept.ts';

const most = 50;

/** Messages that the server has not taken yet, over reloads and in order. */
export interface Outbox {
  readonly unsent: readonly Unsent[];
  /** False when it is full. */
  add(message: Unsent): boolean;
  /** Taken or refused. */
  remove(key: string): void;
  /** The conversation that these were to begin has begun. */
  settle(keys: readonly string[], conversationId: string): void;
}

export const openOutbox = (kept: Kept): Outbox => ({
  get unsent() {
    return kept.outbox();
  },
  add: (message) => {
    if (kept.outbox().length >= most) return false;
    kept.changeOutbox((outbox) => [...outbox.filter(({ key }) => key !== message.key), message]);
    return true;
  },
  remove: (key) => kept.changeOutbox((outbox) => outbox.filter((message) => message.key !== key)),
  settle: (keys, conversationId) =>
    kept.changeOutbox((outbox) =>
      outbox.map((message) => (keys.includes(message.key) ? { ...message, conversationId } : message)),
    ),
});
