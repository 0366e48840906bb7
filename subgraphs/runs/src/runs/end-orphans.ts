import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/http/client';
import type { Deps } from '../deps.ts';
import {
  claimOrphans,
  decideEnd,
  finishRun,
  type Ending,
  type Orphan,
  type UsageSoFar,
} from './owned-runs.store.ts';
import { abandonStale, dropAbandonedKey } from './run-keys.store.ts';
import { releaseCredits } from './reserve-credits.ts';

/** How long an owner may be silent after its lease ended before its run is taken from it. */
const lostAfterMs = 5_000;

/**
 * Ends runs that no runner will end, with their credits given back or settled at what was used; each round answers how many. An owner that the
 * database did not answer could not keep its lease either: after a break it is given as long as others before its run counts as lost.
 */
export function createOrphanSweep({ db, billing, log }: Deps): () => Promise<number> {
  let answersSince: number | undefined;
  return async () => {
    const now = Date.now();
    const isSteady = answersSince !== undefined && now - answersSince >= lostAfterMs;
    const input = { limit: 50, lostAfterMs: isSteady ? lostAfterMs : 3_600_000 };
    let orphans: Orphan[];
    try {
      orphans = await db.transaction(systemScope('orphaned-runs'), (tx) => claimOrphans(tx, input));
      answersSince ??= now;
    } catch (error) {
      answersSince = undefined;
      throw error;
    }
    let ended = 0;
    for (const orphan of orphans)
      try {
        await endOrphan({ db, billing }, orphan);
        ended += 1;
      } catch (error) {
        log.warn({ err: error, runId: orphan.runId }, 'a run without an owner could not be ended yet');
      }
    return ended;
  };
}

/** As its last owner decided, else for what its owner's loss makes of it. */
async function endOrphan({ db, billing }: Pick<Deps, 'db' | 'billing'>, orphan: Orphan): Promise<void> {
  const usage = orphan.billed ?? orphan.checkpoint ?? [];
  if (!orphan.billed) {
    const decided = await decideEnd(db, { ...orphan, ending: { ...lossOf(orphan), billed: usage } });
    if ('refused' in decided) return; // somebody else owns it by now
  }
  await finishRun(db, { ...orphan, charge: await closeReservation(billing, { ...orphan, usage }) });
}

function lossOf(orphan: Orphan): Omit<Ending, 'billed'> {
  const nothing = { output: null, usage: null };
  if (orphan.cancelRequested) return { ...nothing, state: 'CANCELLED', error: null };
  return {
    ...nothing,
    state: 'FAILED',
    error: orphan.begun
      ? { code: 'RUNNER_LOST', message: 'The runner of this run was lost. Start it again.', retryable: true }
      : {
          code: 'RUNNER_UNAVAILABLE',
          message: 'No runner took the run before its deadline. Start it again.',
          retryable: true,
        },
  };
}

async function closeReservation(
  billing: Deps['billing'],
  { organizationId, runId, usage }: Pick<Orphan, 'organizationId' | 'runId'> & { usage: UsageSoFar },
): Promise<string> {
  if (usage.length > 0) {
    try {
      const settled = await billing.call<{ charge: string }>(
        'POST',
        '/billing/settle',
        { organizationId, runId, usage },
        { deadlineMs: 3_000, retries: 2 },
      );
      return settled.charge;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }
  return releaseCredits(billing, { organizationId, runId, reason: 'no runner ended the run' });
}

/** Releases what starts reserved that nobody completed, and frees their keys; answers how many. */
export async function takeBackAbandoned({ db, billing, log, abandonedAfterMs }: Deps): Promise<number> {
  const scope = systemScope('abandoned-starts');
  const keys = await db.transaction(scope, (tx) =>
    abandonStale(tx, { afterMs: abandonedAfterMs, limit: 50 }),
  );
  let freed = 0;
  for (const key of keys)
    try {
      const { organizationId, runId } = key;
      await releaseCredits(billing, { organizationId, runId, reason: 'the run was not queued' });
      await db.transaction(scope, (tx) => dropAbandonedKey(tx, key));
      freed += 1;
    } catch (error) {
      log.warn({ err: error, runId: key.runId }, 'an abandoned start could not be taken back yet');
    }
  return freed;
}
