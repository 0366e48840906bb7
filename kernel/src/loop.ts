import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

/** Background work that runs until stopped. */
export interface Loop {
  /** Runs the work soon instead of at the next tick. */
  wake(): void;
  /** Resolves when the round under way has ended; no round starts after it. */
  stop(): Promise<void>;
}

/**
 * Repeats `work`: at once again while it answers true (there was something to do), else after `everyMs` or a wake(). A round that
 * throws is logged and tried again after a backoff that doubles up to 30 s, so a lost database is a pause, not the end.
 */
export function startLoop(options: {
  name: string;
  log: Log;
  everyMs: number;
  work: (signal: AbortSignal) => Promise<boolean | void>;
}): Loop {
  const stopping = new AbortController();
  let nudge = new AbortController();
  let woken = false;
  // The first round starts in a turn of its own: the caller may still be declaring what it needs.
  const finished = Promise.resolve().then(run);

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      woken = false;
      let again = false;
      try {
        again = (await options.work(stopping.signal)) === true;
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!stopping.signal.aborted)
          options.log.warn({ err: error, loop: options.name, failures }, 'background round failed');
      }
      if (again || (woken && failures === 0)) continue;
      const delay = failures
        ? Math.min(30_000, Math.max(200, options.everyMs) * 2 ** Math.min(failures, 7))
        : options.everyMs;
      nudge = new AbortController();
      await sleep(delay, undefined, { signal: AbortSignal.any([nudge.signal, stopping.signal]) }).catch(
        () => undefined,
      );
    }
  }

  return {
    wake() {
      woken = true;
      nudge.abort();
    },
    async stop() {
      stopping.abort();
      await finished;
    },
  };
}
