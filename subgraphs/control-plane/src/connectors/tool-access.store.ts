import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { DesiredPhase } from '../instances/instance.ts';
import type { BindingState } from './connector.ts';

/** A binding or an instance as it is now, at the cursor of a change of it. */
export type ToolAccessChange = { readonly cursor: bigint } & (
  | {
      readonly type: 'BINDING';
      readonly bindingId: Uuid;
      readonly state: BindingState;
      readonly secretVersion: number;
    }
  | { readonly type: 'INSTANCE'; readonly instanceId: Uuid; readonly phase: DesiredPhase }
);

/** The cursor behind which the last hour lies. */
export async function cursorAnHourAgo(tx: Tx): Promise<bigint> {
  const [row] = await tx.sql<{ cursor: bigint }>(
    "-- cursorAnHourAgo\n select coalesce(max(cursor), 0) as cursor from tool_access_change where at <= now() - interval '1 hour'",
  );
  return row!.cursor;
}

/** What changed after a cursor, in the order in which it became true. */
export const toolAccessSince = (tx: Tx, since: bigint, limit: number) =>
  tx.sql<ToolAccessChange>(
    `-- toolAccessSince
     select t.cursor, case when b.id is null then 'INSTANCE' else 'BINDING' end as type, b.id as "bindingId", b.state, b.secret_version as "secretVersion",
       i.id as "instanceId", i.desired_phase as phase
     from tool_access_change t left join connector_binding b on b.id = t.binding_id left join instance i on i.id = t.instance_id
     where t.cursor > $1 order by t.cursor limit $2`,
    [since, limit],
  );

/** Ends what every follower has seen long ago. */
export const pruneToolAccess = (tx: Tx) =>
  tx.sql("-- pruneToolAccess\n delete from tool_access_change where at < now() - interval '7 days'");
