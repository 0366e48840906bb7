import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import type { Run, RunRefusal } from './run.ts';
import { putRating, type RunRating } from './run-ratings.store.ts';
import { runById } from './runs.store.ts';

/** Longest reason, in characters. */
const mostReason = 1_000;

/** Rates a run that has ended, in the caller's name; rating it again replaces what they said before. */
export async function rateRun(
  room: Room,
  caller: Caller,
  { runId, ...rating }: { readonly runId: Uuid | undefined } & Omit<RunRating, 'at'>,
): Promise<Outcome<Run, RunRefusal>> {
  const scope = callerScope(caller, 'run:start');
  const { reason } = rating;
  if (reason !== null && (reason.length > mostReason || reason.includes('\0')))
    return refused({
      code: 'INVALID_INPUT',
      message: `The reason must have at most ${mostReason} characters, none of them NUL.`,
      field: 'reason',
    });
  return room.db.transaction(scope, async (tx) => {
    const rated = runId !== undefined && (await putRating(tx, runId, rating));
    const run = runId && (await runById(tx, runId));
    if (!run) return refused({ code: 'RUN_NOT_FOUND', message: 'There is no such run.', field: 'runId' });
    if (!rated)
      return refused({
        code: 'RUN_NOT_ENDED',
        message: 'The run is still under way.',
        field: 'runId',
      });
    return done(run);
  });
}
