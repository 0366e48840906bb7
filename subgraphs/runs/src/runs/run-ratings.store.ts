import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { terminalStates } from './run.ts';

/** What somebody thought of a run's answer. */
export interface RunRating {
  readonly rating: 'UP' | 'DOWN';
  readonly reason: string | null;
  readonly at: Date;
}

/** Of each run the rating of whom the scope's actor is, else the newest one that the scope shows. */
export async function ratingsOf(tx: Tx, runIds: readonly Uuid[]): Promise<Map<Uuid, RunRating>> {
  const rows = await tx.sql<RunRating & { runId: Uuid }>(
    `-- ratingsOf
     select distinct on (run_id) run_id as "runId", rating, reason, at from run_rating where run_id = any ($1)
     order by run_id, rater = $2 desc, at desc`,
    [runIds, tx.scope.actor],
  );
  return new Map(rows.map(({ runId, ...rating }) => [runId, rating]));
}

/** Sets the actor's rating of a run that has ended; false when there is no such run in scope. */
export async function putRating(
  tx: Tx,
  runId: Uuid,
  { rating, reason }: Omit<RunRating, 'at'>,
): Promise<boolean> {
  const rows = await tx.sql(
    `-- putRating
     insert into run_rating (run_id, rater, organization_id, instance_id, visitor_id, rating, reason)
     select id, $2, organization_id, instance_id, $3, $4, $5 from run where id = $1 and state = any ($6)
     on conflict (run_id, rater) do update set rating = excluded.rating, reason = excluded.reason, at = excluded.at
     returning run_id`,
    [runId, tx.scope.actor, tx.scope.visitor?.visitorId ?? null, rating, reason, terminalStates],
  );
  return rows.length > 0;
}
