import { createListener, type Listener } from './db/listener.ts';
import type { Database } from './db/database.ts';
import type { Log } from './log.ts';

/**
 * "Something changed" signals by key, for subscriptions that send the current state each time: signals that come while one is being handled
 * collapse into one, so a slow client skips states and never falls behind.
 */
export interface Changes {
  /** Yields once at the start and then after each change of the key, or every `pollMs` as a safety net, until the signal aborts. */
  follow(key: string, signal: AbortSignal): AsyncGenerator<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Changes told by NOTIFY on these channels; the payload is the key. One connection listens for the whole process. */
export function createChanges(options: {
  database: Database;
  channels: readonly string[];
  log: Log;
  pollMs?: number;
}): Changes {
  const followers = new Map<string, Set<() => void>>();
  const ringAll = (): void => followers.forEach((set) => set.forEach((ring) => ring()));
  const listener: Listener = createListener({
    database: options.database,
    channels: options.channels,
    onNotify: (_channel, key) => followers.get(key)?.forEach((ring) => ring()),
    onGap: ringAll,
    log: options.log,
  });
  const stopping = new AbortController();
  const pollMs = options.pollMs ?? 2_000;

  return {
    start: () => listener.start(),
    async stop() {
      stopping.abort();
      ringAll();
      await listener.stop();
    },
    async *follow(key, signal) {
      let rung = true;
      let wake: (() => void) | undefined;
      const ring = (): void => {
        rung = true;
        wake?.();
      };
      const set = followers.get(key) ?? new Set();
      followers.set(key, set.add(ring));
      signal.addEventListener('abort', ring);
      try {
        while (!signal.aborted && !stopping.signal.aborted) {
          if (!rung) {
            const timer = setTimeout(ring, pollMs);
            await new Promise<void>((resolve) => (wake = resolve));
            clearTimeout(timer);
            continue;
          }
          rung = false;
          yield;
        }
      } finally {
        signal.removeEventListener('abort', ring);
        set.delete(ring);
        if (set.size === 0) followers.delete(key);
      }
    },
  };
}
