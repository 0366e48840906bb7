import { LRUCache } from 'lru-cache';
import type { ToolSettings } from '../settings.ts';
import { ToolRefusal } from './refusals.ts';

/** How long a run's calls are counted after its last one: longer than any run token lives. */
const countedMs = 3_600_000;

/** Counts calls under way and calls of each run, in this process. */
export interface CallLimits {
  /** Throws TOO_MANY_CALLS; otherwise answers what must be called when the call has ended. */
  enter(runId: string): () => void;
}

export function createCallLimits(
  most: Pick<ToolSettings, 'maxCalls' | 'maxCallsPerRun' | 'mostCallsOfRun'>,
): CallLimits {
  const runs = new LRUCache<string, { made: number; underWay: number }>({ max: 50_000, ttl: countedMs });
  let underWay = 0;
  return {
    enter(runId) {
      const run = runs.get(runId) ?? { made: 0, underWay: 0 };
      if (run.made >= most.mostCallsOfRun)
        throw new ToolRefusal('TOO_MANY_CALLS', 'The run has made all calls that it may make.', {
          mostCallsOfRun: most.mostCallsOfRun,
        });
      if (underWay >= most.maxCalls || run.underWay >= most.maxCallsPerRun)
        throw new ToolRefusal('TOO_MANY_CALLS', undefined, { retryAfterSeconds: 1 });
      underWay += 1;
      run.underWay += 1;
      run.made += 1;
      runs.set(runId, run);
      return () => {
        underWay -= 1;
        run.underWay -= 1;
      };
    },
  };
}
