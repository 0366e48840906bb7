import { onlyOrganization, type Scope } from '@agentstore/kernel/access';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';

/** What a client's idempotency key stands for. */
export interface RunKey {
  readonly organizationId: Uuid;
  readonly key: string;
  readonly bodyHash: string;
  readonly runId: Uuid;
  readonly state: 'STARTING' | 'STARTED' | 'ABANDONED';
}

/** A key's row, made with this run id or as it was before, and what decides whether its run may start. */
export interface ClaimedStart {
  readonly key: RunKey;
  /** Runs of the instance that have not ended. */
  readonly active: number;
  /** Whether the conversation asked for is one of that instance and, with a visitor, theirs. */
  readonly conversationIsKnown: boolean;
  /** Of a visitor's start: the most that its run may be charged, and whether open runs of theirs hold a part of their cap. */
  readonly share: { readonly maxCharge: bigint; readonly held: boolean } | undefined;
}

/** Claims a key for a start. Touching it keeps the sweep away while the start is under way. One round trip. */
export async function claimStart(
  db: Database,
  scope: Scope,
  input: Omit<RunKey, 'state' | 'organizationId'> & {
    instanceId: Uuid;
    conversationId: Uuid | null;
    spendCap: bigint | null;
  },
): Promise<ClaimedStart> {
  const organizationId = onlyOrganization(scope);
  const visitorId = scope.visitor?.visitorId ?? null;
  // No client can send a line break: a visitor's keys are nobody else's.
  const keptAs = visitorId === null ? input.key : `${visitorId}\n${input.key}`;
  const [row] = await db.statement<{
    answer: Omit<RunKey, 'key'> &
      Omit<ClaimedStart, 'key' | 'share'> & { maxCharge: string | null; held: boolean };
  }>('claim_start', '-- claimStart\n select claim_start($1, $2, $3, $4, $5, $6, $7, $8) as answer', [
    organizationId,
    keptAs,
    input.bodyHash,
    input.runId,
    input.instanceId,
    input.conversationId,
    visitorId,
    input.spendCap,
  ]);
  const { active, conversationIsKnown, maxCharge, held, ...key } = row!.answer;
  return {
    key: { ...key, key: keptAs, organizationId },
    active,
    conversationIsKnown,
    share: maxCharge === null ? undefined : { maxCharge: BigInt(maxCharge), held },
  };
}

/** A key whose run exists keeps it, whatever a slower attempt believes. */
export const setKeyState = (tx: Tx, key: RunKey, state: RunKey['state']) =>
  tx.sql(
    `-- setKeyState
     update run_key set state = $4 where organization_id = $1 and key = $2 and run_id = $3 and state <> 'STARTED'`,
    [key.organizationId, key.key, key.runId, state],
  );

/** Frees a key whose run never came to be. */
export const dropAbandonedKey = (tx: Tx, key: RunKey) =>
  tx.sql(
    `-- dropAbandonedKey
     delete from run_key where organization_id = $1 and key = $2 and run_id = $3 and state = 'ABANDONED'`,
    [key.organizationId, key.key, key.runId],
  );

/** Marks starts that nobody completed in time, and answers them with those marked before: all are to be released. */
export const abandonStale = (tx: Tx, input: { afterMs: number; limit: number }) =>
  tx.sql<RunKey>(
    `-- abandonStale
     with stale as (
       select organization_id, key from run_key
       where state <> 'STARTED' and touched_at < now() - make_interval(secs => $1 / 1000.0)
       order by touched_at limit $2 for update skip locked
     )
     update run_key k set state = 'ABANDONED' from stale
     where k.organization_id = stale.organization_id and k.key = stale.key
     returning k.organization_id as "organizationId", k.key, k.body_hash as "bodyHash", k.run_id as "runId", k.state`,
    [input.afterMs, input.limit],
  );
