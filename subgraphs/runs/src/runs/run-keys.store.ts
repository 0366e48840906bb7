import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';

/** What a client's idempotency key stands for. */
export interface RunKey {
  readonly organizationId: Uuid;
  readonly key: string;
  readonly bodyHash: string;
  readonly runId: Uuid;
  readonly state: 'STARTING' | 'STARTED' | 'ABANDONED';
}

const columns = `organization_id as "organizationId", key, body_hash as "bodyHash", run_id as "runId", state`;

/** The key's row: made with this run id, or as it was before. Touching it keeps the sweep away while its start is under way. */
export async function claimKey(tx: Tx, input: Omit<RunKey, 'state'>): Promise<RunKey> {
  const [row] = await tx.sql<RunKey>(
    `-- claimKey
     insert into run_key (organization_id, key, body_hash, run_id) values ($1, $2, $3, $4)
     on conflict (organization_id, key) do update
       set touched_at = case when run_key.state = 'STARTING' then now() else run_key.touched_at end
     returning ${columns}`,
    [input.organizationId, input.key, input.bodyHash, input.runId],
  );
  return row!;
}

/** The key's row, locked until the transaction ends; undefined when it was taken back. */
export async function lockKey(
  tx: Tx,
  key: Pick<RunKey, 'organizationId' | 'key'>,
): Promise<RunKey | undefined> {
  const [row] = await tx.sql<RunKey>(
    `-- lockKey\n select ${columns} from run_key where organization_id = $1 and key = $2 for update`,
    [key.organizationId, key.key],
  );
  return row;
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
