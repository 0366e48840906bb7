import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts, Run, RunError, RunState, RunUsage } from './run.ts';

const columns = `id, organization_id as "organizationId", instance_id as "instanceId", conversation_id as "conversationId", state, input, output, usage, error,
  requested_at as "requestedAt", started_at as "startedAt", finished_at as "finishedAt", last_seq as "lastSeq"`;

export async function runById(tx: Tx, id: Uuid): Promise<Run | undefined> {
  const [row] = await tx.sql<Run>(`-- runById\n select ${columns} from run where id = $1`, [id]);
  return row;
}

/** Newest first. */
export const runsOf = (tx: Tx, of: { instanceId?: Uuid; conversationId?: Uuid }, page: PageRequest) =>
  tx.sql<Run>(
    `-- runsOf
     select ${columns} from run where (instance_id = $1 or conversation_id = $2) and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [of.instanceId ?? null, of.conversationId ?? null, page.afterKey, page.first + 1],
  );

export async function activeRuns(tx: Tx, instanceId: Uuid): Promise<number> {
  const [row] = await tx.sql<{ count: number }>(
    `-- activeRuns
     select count(*)::int as count from run where instance_id = $1 and state in ('QUEUED', 'RUNNING', 'CANCELLING')`,
    [instanceId],
  );
  return row!.count;
}

/** The run id that a key stands for: the given new one, or the one it was used for before (`conflict` when for another body). */
export async function claimKey(
  tx: Tx,
  input: { organizationId: Uuid; key: string; bodyHash: string; runId: Uuid },
): Promise<{ runId: Uuid; conflict: boolean }> {
  await tx.sql(
    '-- claimKey\n insert into run_key (organization_id, key, body_hash, run_id) values ($1, $2, $3, $4) on conflict do nothing',
    [input.organizationId, input.key, input.bodyHash, input.runId],
  );
  const [row] = await tx.sql<{ runId: Uuid; bodyHash: string }>(
    '-- claimKey: read\n select run_id as "runId", body_hash as "bodyHash" from run_key where organization_id = $1 and key = $2',
    [input.organizationId, input.key],
  );
  return { runId: row!.runId, conflict: row!.bodyHash !== input.bodyHash };
}

export async function conversationFor(
  tx: Tx,
  input: { id: Uuid | undefined; organizationId: Uuid; instanceId: Uuid; title: string },
): Promise<Uuid | undefined> {
  if (input.id) {
    const [row] = await tx.sql<{ id: Uuid }>(
      '-- conversationFor: given\n select id from conversation where id = $1 and instance_id = $2',
      [input.id, input.instanceId],
    );
    return row?.id;
  }
  const id = uuidv7();
  await tx.sql(
    '-- conversationFor: new\n insert into conversation (id, organization_id, instance_id, title) values ($1, $2, $3, $4)',
    [id, input.organizationId, input.instanceId, input.title],
  );
  return id;
}

/** Queues the run and wakes a runner; a run that is there already stays as it is. */
export async function insertRun(
  tx: Tx,
  run: { id: Uuid; conversationId: Uuid; input: string; facts: InstanceFacts },
): Promise<void> {
  await tx.sql(
    `-- insertRun
     insert into run (id, organization_id, instance_id, offering_id, conversation_id, input, artifact, config, requested_by, deadline_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10)) on conflict do nothing`,
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
  await tx.sql("-- insertRun: wake\n select pg_notify('runs_queue', 'queue')");
}

/** Asks the run's owner to stop; undefined when there is no such run in scope. */
export async function requestCancel(tx: Tx, id: Uuid): Promise<Run | undefined> {
  await tx.sql(
    `-- requestCancel
     update run set state = 'CANCELLING' where id = $1 and state in ('QUEUED', 'RUNNING')`,
    [id],
  );
  await tx.sql("-- requestCancel: wake\n select pg_notify('runs_queue', 'queue')");
  return runById(tx, id);
}

export interface ClaimedRun {
  readonly runId: Uuid;
  readonly organizationId: Uuid;
  readonly instanceId: Uuid;
  readonly offeringId: Uuid;
  readonly conversationId: Uuid;
  readonly fence: number;
  readonly attempt: number;
  readonly input: string;
  readonly artifact: InstanceFacts['artifact'];
  readonly effectiveConfig: Readonly<Record<string, unknown>>;
  readonly remainingMs: number;
  readonly lastSeq: number;
  readonly cancelRequested: boolean;
  readonly history: readonly { role: 'user' | 'assistant'; content: string }[];
}

/** Takes up to `limit` runs that are queued or whose owner's lease ran out; the fence grows, so the old owner can write no more. */
export const claimRuns = (tx: Tx, input: { runnerId: string; limit: number; leaseMs: number }) =>
  tx.sql<ClaimedRun>(
    `-- claimRuns
     with due as (
       select id from run where state = 'QUEUED' or (state in ('RUNNING', 'CANCELLING') and (lease_until is null or lease_until < now()))
       order by id limit $2 for update skip locked
     ), taken as (
       update run r set state = case when state = 'CANCELLING' then state else 'RUNNING' end, fence = fence + 1, attempt = attempt + 1, lease_owner = $1,
         lease_until = now() + make_interval(secs => $3 / 1000.0), started_at = coalesce(started_at, now())
       from due where r.id = due.id returning r.*
     )
     select id as "runId", organization_id as "organizationId", instance_id as "instanceId", offering_id as "offeringId", conversation_id as "conversationId", fence, attempt,
       input, artifact, config as "effectiveConfig", greatest(0, (extract(epoch from deadline_at - now()) * 1000)::int) as "remainingMs", last_seq as "lastSeq",
       state = 'CANCELLING' as "cancelRequested",
       coalesce((select json_agg(m order by m.id) from (
         select h.id, json_build_array(json_build_object('role', 'user', 'content', h.input), json_build_object('role', 'assistant', 'content', h.output)) as pair
         from run h where h.conversation_id = taken.conversation_id and h.state = 'SUCCEEDED' order by h.id desc limit 20) m), '[]') as history
     from taken order by id`,
    [input.runnerId, input.limit, input.leaseMs],
  );

/** Keeps the lease; undefined when the fence moved on. */
export async function renewLease(
  db: Database,
  input: { runId: Uuid; fence: number; leaseMs: number },
): Promise<{ cancelRequested: boolean; remainingMs: number } | undefined> {
  const [row] = await db.statement<{ cancelRequested: boolean; remainingMs: number }>(
    'renew_lease',
    '-- renewLease\n select * from renew_lease($1, $2, $3)',
    [input.runId, input.fence, input.leaseMs],
  );
  return row;
}

export interface NewEvent {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export type AppendAnswer =
  | { lastSeq: number; cancelRequested: boolean }
  | { refused: 'RUN_FENCED' | 'RUN_NOT_FOUND' | 'SEQ_GAP'; lastSeq?: number };

/** One round trip: the events, the doorbell, and whether to stop. */
export async function appendEvents(
  db: Database,
  input: { runId: Uuid; fence: number; events: readonly NewEvent[] },
): Promise<AppendAnswer> {
  const [row] = await db.statement<{ answer: AppendAnswer }>(
    'append_events',
    '-- appendEvents\n select append_events($1, $2, $3) as answer',
    [input.runId, input.fence, JSON.stringify(input.events)],
  );
  return row!.answer;
}

export interface Finish {
  readonly runId: Uuid;
  readonly fence: number;
  readonly state: RunState;
  readonly output: string | null;
  readonly usage: RunUsage | null;
  readonly error: RunError | null;
  readonly charge: string | null;
  readonly events: readonly NewEvent[];
}

export async function finishRun(
  db: Database,
  input: Finish,
): Promise<{ replayed: boolean } | { refused: string }> {
  const [row] = await db.statement<{ answer: { replayed: boolean } | { refused: string } }>(
    'finish_run',
    '-- finishRun\n select finish_run($1, $2, $3, $4, $5, $6, $7, $8) as answer',
    [
      input.runId,
      input.fence,
      input.state,
      input.output,
      input.usage && JSON.stringify(input.usage),
      input.error && JSON.stringify(input.error),
      input.charge,
      JSON.stringify(input.events),
    ],
  );
  return row!.answer;
}

/** Queued runs whose deadline passed before any runner took them, taken by the sweep under a new fence. */
export const claimOverdue = (tx: Tx, limit: number) =>
  tx.sql<{ runId: Uuid; organizationId: Uuid; fence: number; lastSeq: number }>(
    `-- claimOverdue
     with due as (select id from run where state = 'QUEUED' and deadline_at < now() order by id limit $1 for update skip locked)
     update run r set state = 'RUNNING', fence = fence + 1, attempt = attempt + 1, lease_owner = 'sweep', lease_until = now() + interval '30 seconds'
     from due where r.id = due.id returning r.id as "runId", r.organization_id as "organizationId", r.fence, r.last_seq as "lastSeq"`,
    [limit],
  );
