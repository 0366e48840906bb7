import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts, RunError, RunState, RunUsage } from './run.ts';

/** Usage as billing counts it. */
export type UsageSoFar = readonly { readonly dimension: string; readonly quantity: string }[];

/** A run as its new owner gets it. */
export interface ClaimedRun {
  readonly runId: Uuid;
  readonly organizationId: Uuid;
  readonly instanceId: Uuid;
  readonly offeringId: Uuid;
  readonly conversationId: Uuid;
  readonly fence: number;
  /** 1 for its first owner. */
  readonly attempt: number;
  readonly input: string;
  readonly artifact: InstanceFacts['artifact'];
  readonly effectiveConfig: Readonly<Record<string, unknown>>;
  readonly remainingMs: number;
  readonly lastSeq: number;
  readonly cancelRequested: boolean;
  /** What a former owner said was used. */
  readonly checkpoint: UsageSoFar | null;
  /** What was said before in the conversation, oldest first. */
  readonly history: readonly { readonly input: string; readonly output: string }[];
}

/** Runs of the conversation that a model is told about. */
const historyRuns = 20;

/** Takes up to `limit` runs that are queued or whose owner's lease ran out; the fence grows, so the old owner can write no more. */
export const claimRuns = (tx: Tx, input: { runnerId: string; limit: number; leaseMs: number }) =>
  tx.sql<ClaimedRun>(
    `-- claimRuns
     with due as (
       select id from run where state = 'QUEUED' or (state in ('RUNNING', 'CANCELLING') and (lease_until is null or lease_until < now()))
       order by id limit $2 for update skip locked
     ), taken as (
       update run r set state = case when state = 'CANCELLING' then state else 'RUNNING' end, fence = fence + 1, attempt = attempt + 1,
         lease_owner = $1, lease_until = now() + make_interval(secs => $3 / 1000.0), started_at = coalesce(started_at, now())
       from due where r.id = due.id returning r.*
     )
     select id as "runId", organization_id as "organizationId", instance_id as "instanceId", offering_id as "offeringId",
       conversation_id as "conversationId", fence, attempt, input, artifact, config as "effectiveConfig",
       greatest(0, (extract(epoch from deadline_at - now()) * 1000)::int) as "remainingMs", last_seq as "lastSeq",
       state = 'CANCELLING' as "cancelRequested", checkpoint,
       coalesce((select json_agg(json_build_object('input', h.input, 'output', h.output) order by h.id) from (
         select h.id, h.input, h.output from run h
         where h.conversation_id = taken.conversation_id and h.id < taken.id and h.state = 'SUCCEEDED' and h.output is not null
         order by h.id desc limit ${historyRuns}) h), '[]') as history
     from taken order by id`,
    [input.runnerId, input.limit, input.leaseMs],
  );

export interface Lease {
  readonly cancelRequested: boolean;
  readonly remainingMs: number;
}

/** Keeps the lease and notes the usage so far; undefined when another owner has the run or it has ended. A lease of 0 ms hands it back. */
export async function renewLease(
  db: Database,
  input: { runId: Uuid; fence: number; leaseMs: number; checkpoint?: UsageSoFar | undefined },
): Promise<Lease | undefined> {
  const [row] = await db.statement<Lease>(
    'renew_lease',
    '-- renewLease\n select * from renew_lease($1, $2, $3, $4)',
    [input.runId, input.fence, input.leaseMs, input.checkpoint ? JSON.stringify(input.checkpoint) : null],
  );
  return row;
}

/** Wakes runners that wait for work. */
export const ringQueue = (db: Database) =>
  db.statement('ring_queue', "-- ringQueue\n select pg_notify('runs_queue', 'queue')");

export interface NewEvent {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Why a write of an owner was refused. */
export type OwnerRefusal = 'RUN_FENCED' | 'RUN_NOT_FOUND' | 'SEQ_GAP' | 'SEQ_CONFLICT';
export type AppendAnswer =
  | { readonly lastSeq: number; readonly cancelRequested: boolean }
  | { readonly refused: OwnerRefusal; readonly lastSeq?: number };

/** One round trip and one commit: the events, the doorbell, and whether to stop. */
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
  readonly state: Extract<RunState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;
  readonly output: string | null;
  readonly usage: RunUsage | null;
  readonly error: RunError | null;
  readonly charge: string | null;
  /** The last one is the terminal event. */
  readonly events: readonly NewEvent[];
}

/** Ends a run once, with its last events, in one commit; the same end again is `replayed`. */
export async function finishRun(
  db: Database,
  input: Finish,
): Promise<{ readonly replayed: boolean } | { readonly refused: OwnerRefusal; readonly lastSeq?: number }> {
  const [row] = await db.statement<{
    answer: { replayed: boolean } | { refused: OwnerRefusal; lastSeq?: number };
  }>('finish_run', '-- finishRun\n select finish_run($1, $2, $3, $4, $5, $6, $7, $8) as answer', [
    input.runId,
    input.fence,
    input.state,
    input.output,
    input.usage && JSON.stringify(input.usage),
    input.error && JSON.stringify(input.error),
    input.charge,
    JSON.stringify(input.events),
  ]);
  return row!.answer;
}

/** A run that nobody will end but the sweep, taken by it under a new fence. */
export interface Orphan {
  readonly runId: Uuid;
  readonly organizationId: Uuid;
  readonly fence: number;
  readonly lastSeq: number;
  readonly cancelRequested: boolean;
  /** Whether a runner ever had it. */
  readonly begun: boolean;
  readonly checkpoint: UsageSoFar | null;
}

/**
 * Queued runs past their deadline, cancelled ones that no runner ever took, and runs whose owner is gone for a minute past their
 * deadline with no other runner there to take over.
 */
export const claimOrphans = (tx: Tx, limit: number) =>
  tx.sql<Orphan>(
    `-- claimOrphans
     with due as (
       select id, attempt from run where (state = 'QUEUED' and deadline_at < now()) or (state = 'CANCELLING' and attempt = 0)
         or (state in ('RUNNING', 'CANCELLING') and lease_until < now() - interval '1 minute' and deadline_at < now() - interval '1 minute')
       order by id limit $1 for update skip locked
     )
     update run r set state = case when state = 'CANCELLING' then state else 'RUNNING' end, fence = fence + 1, attempt = r.attempt + 1,
       lease_owner = 'sweep', lease_until = now() + interval '30 seconds'
     from due where r.id = due.id
     returning r.id as "runId", r.organization_id as "organizationId", r.fence, r.last_seq as "lastSeq", r.state = 'CANCELLING' as "cancelRequested",
       due.attempt > 0 as begun, r.checkpoint`,
    [limit],
  );
