import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { RunEvent } from './run-event.ts';

/** Events after a seq, in order. The caller has checked that the run is in its scope (the table itself has no organization). */
export const eventsAfter = (tx: Tx, runId: Uuid, after: number, limit: number) =>
  tx.sql<RunEvent>(
    `-- eventsAfter
     select run_id as "runId", seq, kind, at, payload from run_event
     where day = day_of($1) and run_id = $1 and seq > $2 and exists (select from run where id = $1) order by seq limit $3`,
    [runId, after, limit],
  );
