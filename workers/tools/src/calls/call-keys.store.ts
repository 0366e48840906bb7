import { systemScope } from '@agentstore/kernel/access';
import type { Database } from '@agentstore/kernel/db/database';
import type { CallKeys, Claim, KeyedCall } from './call-keys.ts';
import type { ToolResult } from './tool-call.ts';

interface Row {
  readonly call_hash: string;
  readonly result: ToolResult | null;
}

/** Who makes a call is known by its run token, so each statement names the instance and the organization of the token. */
const scope = systemScope('tool-calls');

export function createCallKeys(db: Database, hours: number): CallKeys {
  const keyOf = ({ grant, toolId, keyHash }: KeyedCall) => [
    grant.instanceId,
    toolId,
    keyHash,
    grant.organizationId,
  ];
  return {
    claim: (call) =>
      db.transaction(scope, async (tx): Promise<Claim> => {
        const claimed = await tx.sql(
          `-- call-keys: claim
           insert into call_key as held (instance_id, tool_id, key_hash, organization_id, call_hash, audit_id, expires_at)
           values ($1, $2, $3, $4, $5, $6, now() + make_interval(hours => $7))
           on conflict (instance_id, tool_id, key_hash) do update
             set call_hash = excluded.call_hash, audit_id = excluded.audit_id, claimed_at = now(), expires_at = excluded.expires_at, result = null
             where held.expires_at <= now()
               or (held.result is null and held.call_hash = excluded.call_hash
                   and held.claimed_at <= now() - $8::double precision * interval '1 ms')
           returning 1`,
          [...keyOf(call), call.callHash, call.auditId, hours, call.repeatAfterMs],
        );
        if (claimed.length) return { kind: 'CLAIMED' };
        const [held] = await tx.sql<Row>(
          `-- call-keys: held
           select call_hash, result from call_key
           where instance_id = $1 and tool_id = $2 and key_hash = $3 and organization_id = $4`,
          keyOf(call),
        );
        if (held && held.call_hash !== call.callHash) return { kind: 'CONFLICT' };
        return held?.result ? { kind: 'REPLAYED', result: held.result } : { kind: 'IN_PROGRESS' };
      }),
    keep: (call, result) =>
      db.transaction(scope, async (tx) => {
        await tx.sql(
          `-- call-keys: keep
           update call_key set result = $6
           where instance_id = $1 and tool_id = $2 and key_hash = $3 and organization_id = $4 and audit_id = $5`,
          [...keyOf(call), call.auditId, JSON.stringify(result)],
        );
      }),
    free: (call) =>
      db.transaction(scope, async (tx) => {
        await tx.sql(
          `-- call-keys: free
           delete from call_key
           where instance_id = $1 and tool_id = $2 and key_hash = $3 and organization_id = $4 and audit_id = $5`,
          [...keyOf(call), call.auditId],
        );
      }),
    sweep: () =>
      db.transaction(scope, async (tx) => {
        const gone = await tx.sql(
          `-- call-keys: sweep
           delete from call_key where ctid in (select ctid from call_key where expires_at <= now() limit 1000) returning 1`,
        );
        return gone.length === 1_000;
      }),
  };
}
