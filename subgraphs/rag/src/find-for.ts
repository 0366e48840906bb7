import { AccessError, callerScope, organizationScope, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Permission } from '@agentstore/kernel/permissions';
import type { Room } from './deps.ts';

/**
 * A row for a command that needs `permission`, with the scope of its organization. Undefined when there is none for the caller; throws FORBIDDEN when they
 * may see it and only lack the permission.
 */
export async function findFor<Row extends { readonly organizationId: Uuid }>(
  { db }: Room,
  caller: Caller,
  permission: Permission,
  find: (tx: Tx) => Promise<Row | undefined>,
): Promise<{ readonly row: Row; readonly scope: Scope } | undefined> {
  const row = await db.transaction(callerScope(caller, permission), find);
  const scope = row && organizationScope(caller, row.organizationId, permission);
  if (row && scope) return { row, scope };
  if (caller.kind !== 'SERVICE' && (await db.transaction(callerScope(caller, 'knowledge:read'), find)))
    throw new AccessError('FORBIDDEN', `This needs the permission ${permission}.`);
  return undefined;
}
