import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/service-client';
import type { Deps } from '../deps.ts';
import { claimOrphans, finishRun, type NewEvent, type Orphan } from './owned-runs.store.ts';
import { abandonStale, dropAbandonedKey } from './run-keys.store.ts';
import { releaseCredits } from './reserve-credits.ts';
import type { RunError } from './run.ts';

/** Ends runs that no runner will end, with their credits given back or settled at what was used; answers how many. */
export async function endOrphans({ db, billing }: Deps): Promise<number> {
  const orphans = await db.transaction(systemScope('orphaned-runs'), (tx) => claimOrphans(tx, 50));
  for (const orphan of orphans) {
    const charge = await closeReservation(billing, orphan);
    const error = errorOf(orphan);
    const event: NewEvent = {
      seq: orphan.lastSeq + 1,
      kind: error ? 'RunFailed' : 'RunCancelled',
      at: new Date().toISOString(),
      payload: error ? { error, charge } : { charge },
    };
    await finishRun(db, {
      ...orphan,
      state: error ? 'FAILED' : 'CANCELLED',
      output: null,
      usage: null,
      error,
      charge,
      events: [event],
    });
  }
  return orphans.length;
}

function errorOf(orphan: Orphan): RunError | null {
  if (orphan.cancelRequested) return null;
  return orphan.begun
    ? { code: 'RUNNER_LOST', message: 'The runner of this run was lost. Start it again.', retryable: true }
    : {
        code: 'RUNNER_UNAVAILABLE',
        message: 'No runner took the run before its deadline. Start it again.',
        retryable: true,
      };
}

async function closeReservation(billing: Deps['billing'], orphan: Orphan): Promise<string> {
  const { organizationId, runId, checkpoint } = orphan;
  if (checkpoint?.length) {
    try {
      const settled = await billing.call<{ charge: string }>(
        'POST',
        '/billing/settle',
        { organizationId, runId, usage: checkpoint },
        { deadlineMs: 3_000, retries: 2 },
      );
      return settled.charge;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }
  await releaseCredits(billing, { organizationId, runId, reason: 'no runner ended the run' });
  return '0';
}

/** Releases what starts reserved that nobody completed, and frees their keys; answers how many. */
export async function takeBackAbandoned({ db, billing, abandonedAfterMs }: Deps): Promise<number> {
  const scope = systemScope('abandoned-starts');
  const keys = await db.transaction(scope, (tx) =>
    abandonStale(tx, { afterMs: abandonedAfterMs, limit: 50 }),
  );
  for (const key of keys) {
    await releaseCredits(billing, {
      organizationId: key.organizationId,
      runId: key.runId,
      reason: 'the run was not queued',
    });
    await db.transaction(scope, (tx) => dropAbandonedKey(tx, key));
  }
  return keys.length;
}
