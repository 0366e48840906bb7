import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@agentstore/kernel/log';

/** A server process that is started again when it ends by itself. */
export interface KeptRunning<T> {
  /** The one that runs now, or ran last. */
  readonly current: T;
  stop(): Promise<void>;
}

const longestPauseMs = 30_000;
/** One that lived this long had started well: the next pause is short again. */
const soundMs = 60_000;

/**
 * Starts a server and keeps it: each time it calls `ended` it is started again, after a pause that doubles while it does not stay. The first start's
 * failure is thrown; later ones are logged, and told to the person at the terminal.
 */
export async function keepRunning<T extends { stop(): Promise<void> }>(options: {
  name: string;
  start: (ended: () => void) => Promise<T>;
  log: Log;
  say: (text: string) => void;
  pauseMs?: number;
}): Promise<KeptRunning<T>> {
  const { name, log, say } = options;
  const stopping = new AbortController();
  let returning: Promise<void> | undefined;
  let endings = 0;
  let startedAt = 0;
  const start = async (): Promise<T> => {
    const started = await options.start(ended);
    startedAt = performance.now();
    return started;
  };
  function ended(): void {
    if (stopping.signal.aborted) return;
    if (performance.now() - startedAt > soundMs) endings = 0;
    say(`${name} ended by itself; starting it again`);
    returning = (returning ?? Promise.resolve()).then(comeBack);
  }
  async function comeBack(): Promise<void> {
    for (;;) {
      const pauseMs = Math.min(longestPauseMs, (options.pauseMs ?? 250) * 2 ** endings++);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        current = await start();
        log.warn({ server: name }, 'started again');
        return say(`${name} runs again`);
      } catch (error) {
        log.error({ err: error, server: name }, 'did not start again');
      }
    }
  }
  let current = await start();
  return {
    get current() {
      return current;
    },
    async stop() {
      stopping.abort();
      await returning;
      await current.stop();
    },
  };
}
