import type { Surroundings } from '../chat/surroundings.ts';

const firstMs = 1_000;
const longestMs = 30_000;

/** How long to leave a server alone that failed: a random part of a time that doubles, so that clients do not come back together. */
export interface Backoff {
  failed(): void;
  succeeded(): void;
  /** Until it may be tried again. */
  wait(): Promise<void>;
  /** There is a reason to think that it works now. */
  wake(): void;
}

export function createBackoff({ clock, random }: Pick<Surroundings, 'clock' | 'random'>): Backoff {
  let failures = 0;
  let waiting = Promise.resolve();
  let wake = () => {};
  return {
    failed: () => {
      wake();
      const ms = random() * Math.min(longestMs, firstMs * 2 ** failures++);
      waiting = new Promise((resolve) => {
        const callOff = clock.after(ms, resolve);
        wake = () => {
          callOff();
          resolve();
        };
      });
    },
    succeeded: () => {
      failures = 0;
    },
    // Failed again meanwhile: waits for that, too.
    wait: async () => {
      for (let until; until !== waiting;) await (until = waiting);
    },
    wake: () => wake(),
  };
}
