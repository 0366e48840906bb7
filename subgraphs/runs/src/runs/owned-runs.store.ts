import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts, RunError, RunState, RunUsage, ToolGrants } from './run.ts';

/** Usage as billing counts it. */
export type UsageSoFar = readonly { readonly dimension: string; readonly quantity: string }[];

/** A run as its new owner gets it. */
export interface ClaimedRun {
  readonly runId: Uuid;
  readonly organizationId: Uuid;
  /** Null for a run from before projects were kept. */
  readonly projectId: Uuid | null;
  readonly instanceId: Uuid;
  readonly offeringId: Uuid;
  readonly conversationId: Uuid;
  readonly fence: number;
  /** 1 for its first owner. */
  readonly attempt: number;
  readonly input: string;
  readonly artifact: InstanceFacts['artifact'];
  readonly effectiveConfig: Readonly<Record<string, unknown>>;
  readonly toolGrants: ToolGrants;
  readonly remainingMs: number;
  readonly lastSeq: number;
  readonly cancelRequested: boolean;
  /** What a former owner said was used. */
  readonly checkpoint: UsageSoFar | null;
  /** What is to be settled of a run whose end a former owner decided; then it is to be finished. */
  readonly billed: UsageSoFar | null;
  /** What was said before in the conversation, oldest first. */
  readonly history: readonly { readonly input: string; readonly output: string }[];
}

/** Runs of the conversation that a model is told about, and how many bytes of them: a flow's variable holds no more. */
const history = { runs: 20, bytes: 65_536 };

/**
 * Takes up to `limit` runs that are queued or whose owner's lease ran out; the fence grows, so the old owner can write no more. A claimer whose own
 * lease ran out lives, and is given one more to say so.
 */
export const claimRuns = (tx: Tx, input: { runnerId: string; limit: number; leaseMs: number }) =>
  tx.sql<ClaimedRun>(
    `-- claimRuns
     with due as (
       select id from run where state = 'QUEUED' or (state in ('RUNNING', 'CANCELLING') and (lease_until is null
         or lease_until < now() - case when lease_owner = $1 then make_interval(secs => $3 / 1000.0) else interval '0' end))
       order by id limit $2 for update skip locked
     ), taken as (
       update run r set state = case when state = 'CANCELLING' then state else 'RUNNING' end, fence = fence + 1, attempt = attempt + 1,
         lease_owner = $1, lease_until = now() + make_interval(secs => $3 / 1000.0), started_at = coalesce(started_at, now())
       from due where r.id = due.id returning r.*
     )
     select id as "runId", organization_id as "organizationId", project_id as "projectId", instance_id as "instanceId", offering_id as "offeringId",
       conversation_id as "conversationId", fence, attempt, input, artifact, config as "effectiveConfig", tool_grants as "toolGrants",
       greatest(0, (extract(epoch from deadline_at - now()) * 1000)::int) as "remainingMs", last_seq as "lastSeq",
       state = 'CANCELLING' as "cancelRequested", checkpoint, ending -> 'billed' as billed,
       coalesce((select json_agg(json_build_object('input', h.input, 'output', h.output) order by h.id) from (
         select h.id, h.input, h.output, sum(octet_length(h.input) + octet_length(h.output)) over (order by h.id desc) as bytes from run h
         where h.conversation_id = taken.conversation_id and h.id < taken.id and h.state = 'SUCCEEDED' and h.output is not null
         order by h.id desc limit ${history.runs}) h where h.bytes <= ${history.bytes}), '[]') as history
     from taken order by id`,
    [input.runnerId, input.limit, input.leaseMs],
  );

export interface Lease {
  readonly cancelRequested: boolean;
  readonly remainingMs: number;
}

/** Keeps the lease and notes the usage so far; undefined when another owner has the run or it has ended. */
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

/** Lets another owner have the run at once, and wakes one; false when the fence has moved on. */
export async function handBack(db: Database, input: { runId: Uuid; fence: number }): Promise<boolean> {
  const [row] = await db.statement<{ done: boolean }>(
    'hand_back',
    '-- handBack\n select hand_back($1, $2) as done',
    [input.runId, input.fence],
  );
  return row!.done;
}

export interface NewEvent {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Why a write of an owner was refused. */
export type OwnerRefusal = 'RUN_FENCED' | 'RUN_NOT_FOUND' | 'SEQ_GAP' | 'SEQ_CONFLICT' | 'NOT_DECIDED';
interface Refused {
  readonly refused: OwnerRefusal;
  readonly lastSeq?: number;
}
export type AppendAnswer = { readonly lastSeq: number; readonly cancelRequested: boolean } | Refused;

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

/** How a run is to end. */
export interface Ending {
  readonly state: Extract<RunState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;
  readonly output: string | null;
  readonly usage: RunUsage | null;
  readonly error: RunError | null;
  /** What billing is asked to settle. */
  readonly billed: UsageSoFar;
}

/** Decides how a run ends before billing is asked, so that the next owner ends it so if this one cannot; the first decision holds. */
export async function decideEnd(
  db: Database,
  input: { runId: Uuid; fence: number; ending: Ending },
): Promise<object | Refused> {
  const [row] = await db.statement<{ answer: object | Refused }>(
    'decide_end',
    '-- decideEnd\n select decide_end($1, $2, $3) as answer',
    [input.runId, input.fence, JSON.stringify(input.ending)],
  );
  return row!.answer;
}

/** Ends a run as it was decided, with what was charged, in one commit; again is `replayed`. */
export async function finishRun(
  db: Database,
  input: { runId: Uuid; fence: number; charge: string | null },
): Promise<{ readonly replayed: boolean } | Refused> {
  const [row] = await db.statement<{ answer: { replayed: boolean } | Refused }>(
    'finish_run',
    '-- finishRun\n select finish_run($1, $2, $3) as answer',
    [input.runId, input.fence, input.charge],
  );
  return row!.answer;
}

/** A run that nobody will end but the sweep, taken by it under a new fence. */
export interface Orphan {
  readonly runId: Uuid;
  readonly organizationId: Uuid;
  readonly fence: number;
  readonly cancelRequested: boolean;
  /** Whether a runner ever had it. */
  readonly begun: boolean;
  readonly checkpoint: UsageSoFar | null;
  /** What is to be settled, when a former owner decided how the run ends. */
  readonly billed: UsageSoFar | null;
}

/**
 * Queued runs past their deadline, cancelled ones that no runner has, and those whose owner has said nothing for `lostAfterMs` beyond its lease: when
 * something may have happened in them, or their end was decided, or their time is over, no runner is needed to end them.
 */
export const claimOrphans = (tx: Tx, input: { limit: number; lostAfterMs: number }) =>
  tx.sql<Orphan>(
    `-- claimOrphans
     with due as (
       select id from run where (state = 'QUEUED' and deadline_at < now()) or (state = 'CANCELLING' and lease_until is null and last_seq = 0)
         or (state in ('RUNNING', 'CANCELLING') and (last_seq > 0 or ending is not null or deadline_at < now())
           and coalesce(lease_until, '-infinity') < now() - make_interval(secs => $2 / 1000.0))
       order by id limit $1 for update skip locked
     )
     update run r set state = case when state = 'CANCELLING' then state else 'RUNNING' end, fence = fence + 1,
       lease_owner = 'sweep', lease_until = now() + interval '30 seconds'
     from due where r.id = due.id
     returning r.id as "runId", r.organization_id as "organizationId", r.fence, r.state = 'CANCELLING' as "cancelRequested",
       r.attempt > 0 as begun, r.checkpoint, r.ending -> 'billed' as billed`,
    [input.limit, input.lostAfterMs],
  );
