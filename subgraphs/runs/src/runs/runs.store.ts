import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import type { Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts, Run } from './run.ts';

const columns = `id, organization_id as "organizationId", instance_id as "instanceId", conversation_id as "conversationId",
  state, input, output, usage, error, charge, requested_at as "requestedAt", started_at as "startedAt",
  finished_at as "finishedAt", last_seq as "lastSeq"`;

export async function runById(tx: Tx, id: Uuid): Promise<Run | undefined> {
  const [row] = await tx.sql<Run>(`-- runById\n select ${columns} from run where id = $1`, [id]);
  return row;
}

export const runsByIds = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Run>(`-- runsByIds\n select ${columns} from run where id = any ($1)`, [ids]);

/** Runs of an instance, newest first. */
export const runsOfInstance = (tx: Tx, instanceId: Uuid, page: PageRequest) =>
  tx.sql<Run>(
    `-- runsOfInstance
     select ${columns} from run where instance_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [instanceId, page.afterKey, page.first + 1],
  );

/** Runs of a conversation, newest first. */
export const runsOfConversation = (tx: Tx, conversationId: Uuid, page: PageRequest) =>
  tx.sql<Run>(
    `-- runsOfConversation
     select ${columns} from run where conversation_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [conversationId, page.afterKey, page.first + 1],
  );

/** Runs of an instance that have not ended. */
export async function activeRuns(tx: Tx, instanceId: Uuid): Promise<number> {
  const [row] = await tx.sql<{ count: number }>(
    `-- activeRuns
     select count(*)::int as count from run where instance_id = $1 and state in ('QUEUED', 'RUNNING', 'CANCELLING')`,
    [instanceId],
  );
  return row!.count;
}

/** Lets one transaction at a time count an instance's runs and add one; held until it ends. */
export const lockInstance = (tx: Tx, instanceId: Uuid) =>
  tx.sql(`-- lockInstance\n select pg_advisory_xact_lock(hashtextextended('run:' || $1::text, 0))`, [
    instanceId,
  ]);

/** Queues the run, makes its day's partition of the event log if the task has not yet, and wakes a runner at commit. */
export async function insertRun(
  tx: Tx,
  run: { id: Uuid; conversationId: Uuid; input: string; facts: InstanceFacts },
): Promise<void> {
  await tx.sql(
    `-- insertRun
     insert into run (id, organization_id, instance_id, offering_id, conversation_id, input, artifact, config, requested_by, deadline_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10))`,
    [
      run.id,
      run.facts.organizationId,
      run.facts.instanceId,
      run.facts.offeringId,
      run.conversationId,
      run.input,
      JSON.stringify(run.facts.artifact),
      JSON.stringify(run.facts.effectiveConfig),
      tx.scope.actor,
      run.facts.limits.maxRunSeconds,
    ],
  );
  await tx.sql(
    `-- insertRun: partition and doorbell
     select ensure_partition_of($1), pg_notify('runs_queue', 'queue')`,
    [run.id],
  );
}

/** Asks the run's owner to stop; a run that has ended stays as it is. Undefined when there is no such run in scope. */
export async function requestCancel(tx: Tx, id: Uuid): Promise<Run | undefined> {
  await tx.sql(
    `-- requestCancel
     update run set state = 'CANCELLING' where id = $1 and state in ('QUEUED', 'RUNNING')`,
    [id],
  );
  await tx.sql("-- requestCancel: doorbell\n select pg_notify('runs_queue', 'queue')");
  return runById(tx, id);
}
