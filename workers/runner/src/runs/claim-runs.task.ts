import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Room } from '../deps.ts';
import { executeRun } from './execute-run.ts';

/** The runner's work: takes runs while it has hands free. */
export interface RunLoop {
  /** Takes no more; lets runs end for the grace, then ends or hands back what is left. */
  stop(): Promise<void>;
}

/** How long one claim waits at the runs subgraph. */
const waitMs = 10_000;

export function startRunLoop(deps: Room): RunLoop {
  const stopping = new AbortController();
  const ending = new AbortController();
  // Every run under way listens to it.
  setMaxListeners(0, ending.signal);
  const active = new Set<Promise<void>>();
  /** Resolved when a hand is free, or none is needed any more. */
  let freed = Promise.withResolvers<void>();
  const claiming = claimUntilStopped();

  async function claimUntilStopped(): Promise<void> {
    const { signal } = stopping;
    for (let failures = 0; !signal.aborted;) {
      const limit = deps.concurrency - active.size;
      if (limit <= 0) {
        freed = Promise.withResolvers();
        await freed.promise;
        continue;
      }
      try {
        const { runnerId, ownerUrl, leaseMs } = deps;
        const runs = await deps.runs.claim({ runnerId, ownerUrl, leaseMs, limit, waitMs }, signal);
        failures = 0;
        for (const run of runs) {
          const work: Promise<void> = executeRun(deps, run, ending.signal).finally(() => {
            active.delete(work);
            freed.resolve();
          });
          active.add(work);
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        deps.log.warn({ err: error, failures }, 'no runs can be claimed now');
        await sleep(Math.min(5_000, 100 * 2 ** failures), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    async stop() {
      stopping.abort();
      freed.resolve();
      const grace = setTimeout(() => ending.abort(), deps.stopGraceMs);
      // A claim that was answered while we stopped has its runs started, and ended, too.
      await claiming;
      await Promise.all(active);
      clearTimeout(grace);
    },
  };
}
