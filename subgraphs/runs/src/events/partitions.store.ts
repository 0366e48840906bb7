import type { Database } from '@agentstore/kernel/db/database';

/** Makes the event log's partitions from today to so many days ahead; answers how many were missing. */
export async function makeDaysAhead(db: Database, days: number): Promise<number> {
  const [row] = await db.statement<{ made: number }>(
    'make_days_ahead',
    `-- makeDaysAhead
     select count(*) filter (where ensure_partition((now() at time zone 'UTC')::date + ahead))::int as made
     from generate_series(0, $1::int) as ahead`,
    [days],
  );
  return row!.made;
}

/** Drops the partitions of days older than `keepDays`; answers how many. */
export async function dropOldDays(db: Database, keepDays: number): Promise<number> {
  const [row] = await db.statement<{ dropped: number }>(
    'drop_old_days',
    '-- dropOldDays\n select drop_old_days($1) as dropped',
    [keepDays],
  );
  return row!.dropped;
}
