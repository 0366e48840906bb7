import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { claimOverdue, finishRun } from './runs.store.ts';

/** Runs that no runner took before their deadline end FAILED, with their credits given back: none is left hanging when every runner is down. */
export function startUnclaimedSweep({ db, log, billing }: Deps): Loop {
  return startLoop({
    name: 'unclaimed-runs',
    log,
    everyMs: 5_000,
    work: async () => {
      const overdue = await db.transaction(systemScope('unclaimed-runs'), (tx) => claimOverdue(tx, 50));
      for (const { runId, organizationId, fence, lastSeq } of overdue) {
        await billing.call(
          'POST',
          '/billing/release',
          { organizationId, runId, reason: 'unclaimed' },
          { retries: 3 },
        );
        const error = {
          code: 'RUNNER_UNAVAILABLE',
          message: 'No runner took the run before its deadline.',
          retryable: true,
        };
        const event = {
          seq: lastSeq + 1,
          kind: 'RunFailed',
          at: new Date().toISOString(),
          payload: { error, charge: '0' },
        };
        await finishRun(db, {
          runId,
          fence,
          state: 'FAILED',
          output: null,
          usage: null,
          error,
          charge: '0',
          events: [event],
        });
      }
      return overdue.length > 0;
    },
  });
}

/** Makes the event log's partitions ahead and drops the days that are over. */
export function startEventRetention({ db, log, eventDays }: Deps): Loop {
  return startLoop({
    name: 'event-retention',
    log,
    everyMs: 3_600_000,
    work: async () => {
      await db.statement('ensure_partitions', '-- ensurePartitions\n select ensure_partitions(3)');
      await db.statement('drop_old_days', '-- dropOldDays\n select drop_old_days($1)', [eventDays]);
    },
  });
}
