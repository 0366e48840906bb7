import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { dropOldDays, makeDaysAhead } from './partitions.store.ts';

/** Makes the event log's partitions ahead and drops the days that are over. */
export const startPartitionKeeper = ({ db, log, eventDays }: Deps): Loop =>
  startLoop({
    name: 'event-partitions',
    log,
    everyMs: 3_600_000,
    work: async () => {
      await makeDaysAhead(db, 3);
      const dropped = await dropOldDays(db, eventDays);
      if (dropped > 0) log.info({ dropped }, 'days of run events dropped');
    },
  });
