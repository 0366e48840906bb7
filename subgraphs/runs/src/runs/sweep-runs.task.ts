import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { createOrphanSweep, takeBackAbandoned } from './end-orphans.ts';

/** No run is left hanging when every runner is down, no reservation when a start broke off. */
export function startRunSweep(deps: Deps): Loop {
  const endOrphans = createOrphanSweep(deps);
  return startLoop({
    name: 'run-sweep',
    log: deps.log,
    everyMs: deps.sweepEveryMs,
    work: async () => {
      const ended = await endOrphans();
      const freed = await takeBackAbandoned(deps);
      return ended + freed > 0;
    },
  });
}
