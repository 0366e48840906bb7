import { onlyOrganization, type Scope } from '@agentstore/kernel/access';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { RunKey } from './run-keys.store.ts';
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

export interface NewRun {
  readonly key: RunKey;
  readonly facts: InstanceFacts;
  /** Null opens one. */
  readonly conversationId: Uuid | null;
  readonly title: string;
  readonly input: string;
  /** Of a visitor: most that their runs of the last 24 hours may be charged, in micro-credits. */
  readonly spendCap: bigint | null;
}

/**
 * What became of queueing: FULL when as many as allowed are active or a visitor's open ones hold their cap, SPENT when too little of the cap is left,
 * STARTED when it was queued before, GONE when its key was taken back.
 */
export type Queued = Run | 'FULL' | 'SPENT' | 'STARTED' | 'GONE';

/** Queues a run under its key, counting the instance's active runs and adding one as a single step, and wakes a runner. One round trip. */
export async function queueRun(db: Database, scope: Scope, run: NewRun): Promise<Queued> {
  const { key, facts } = run;
  const [row] = await db.statement<{
    answer:
      { outcome: Exclude<Queued, Run> } | { outcome: 'QUEUED'; conversationId: Uuid; requestedAt: string };
  }>(
    'queue_run',
    '-- queueRun\n select queue_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) as answer',
    [
      onlyOrganization(scope),
      key.key,
      key.runId,
      facts.instanceId,
      facts.offeringId,
      run.conversationId,
      uuidv7(),
      run.title,
      run.input,
      JSON.stringify(facts.artifact),
      JSON.stringify(facts.effectiveConfig),
      scope.actor,
      facts.limits.maxRunSeconds,
      facts.limits.maxConcurrentRuns,
      facts.projectId ?? null,
      JSON.stringify(facts.toolGrants ?? { tools: [], bindings: [] }),
      run.spendCap,
    ],
  );
  const { answer } = row!;
  if (answer.outcome !== 'QUEUED') return answer.outcome;
  return {
    id: key.runId,
    organizationId: key.organizationId,
    instanceId: facts.instanceId,
    conversationId: answer.conversationId,
    state: 'QUEUED',
    input: run.input,
    output: null,
    usage: null,
    error: null,
    charge: null,
    requestedAt: new Date(answer.requestedAt),
    startedAt: null,
    finishedAt: null,
    lastSeq: 0,
  };
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
