import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import type { Run, RunRefusal } from './run.ts';
import { requestCancel } from './runs.store.ts';

/** Asks a run to stop. Its owner ends it; asking again, or asking too late, changes nothing. */
export async function cancelRun(
  room: Room,
  caller: Caller,
  runId: Uuid | undefined,
): Promise<Outcome<Run, RunRefusal>> {
  const scope = callerScope(caller, 'run:cancel');
  const run = runId && (await room.db.transaction(scope, (tx) => requestCancel(tx, runId)));
  return run
    ? done(run)
    : refused({ code: 'RUN_NOT_FOUND', message: 'There is no such run.', field: 'runId' });
}
