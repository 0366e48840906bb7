import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { RunEvent } from './run-event.ts';

/** Events after a seq, in order. */
export const eventsAfter = (tx: Tx, runId: Uuid, after: number, limit: number) =>
  tx.sql<RunEvent>(
    `-- eventsAfter
     select run_id as "runId", seq, kind, at, payload from run_event where run_id = $1 and seq > $2 order by seq limit $3`,
    [runId, after, limit],
  );

/** An event with the size of its payload in characters. */
export type SizedEvent = RunEvent & { readonly size: number };

/** What was appended to many runs, each after its own seq, in one query: up to `limit` events of each. */
export const eventsAfterEach = (
  tx: Tx,
  runs: readonly { runId: Uuid; after: number }[],
  limit: number,
): Promise<SizedEvent[]> =>
  tx.sql<SizedEvent>(
    `-- eventsAfterEach
     select e.run_id as "runId", e.seq, e.kind, e.at, e.payload, length(e.payload::text) as size
     from unnest($1::uuid[], $2::int[]) as wanted (run_id, after)
     cross join lateral (
       select * from run_event where run_id = wanted.run_id and seq > wanted.after order by seq limit $3
     ) e order by e.run_id, e.seq`,
    [runs.map((run) => run.runId), runs.map((run) => run.after), limit],
  );
