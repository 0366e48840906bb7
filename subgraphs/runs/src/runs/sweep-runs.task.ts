import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { endOrphans, takeBackAbandoned } from './end-orphans.ts';

/** No run is left hanging when every runner is down, no reservation when a start broke off. */
export const startRunSweep = (deps: Deps): Loop =>
  startLoop({
    name: 'run-sweep',
    log: deps.log,
    everyMs: deps.sweepEveryMs,
    work: async () => {
      const ended = await endOrphans(deps);
      const freed = await takeBackAbandoned(deps);
      return ended + freed > 0;
    },
  });
