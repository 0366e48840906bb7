import { AccessError, callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Permission } from '@agentstore/kernel/permissions';

/**
 * For a row that was not found under the permission of a command: throws FORBIDDEN when the caller may see it and only lacks the permission.
 * Returns when it is not theirs to see either, so that the command answers NOT_FOUND and a stranger learns nothing.
 */
export async function forbidInsiders(
  db: Database,
  caller: Caller,
  command: {
    needs: Permission;
    sees: Permission;
    find: (tx: Tx) => Promise<object | undefined>;
  },
): Promise<void> {
  if (caller.kind === 'SERVICE') return; // its permission is for every row: there is none
  if (await db.transaction(callerScope(caller, command.sees), command.find))
    throw new AccessError('FORBIDDEN', `This needs the permission ${command.needs}.`);
}
