import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from './deps.ts';

/** A loader of rows by id in the caller's scope (`run:read`). An id that is malformed, unknown or another organization's gives null. */
export function rowLoader<Row extends { readonly id: Uuid }>(
  read: (tx: Tx, ids: readonly Uuid[]) => Promise<Row[]>,
) {
  const load = turnLoader(
    (caller) => callerScope(caller, 'run:read'),
    async (tx, ids) => new Map((await read(tx, ids)).map((row) => [row.id, row])),
  );
  return async (
    context: { readonly deps: Room; readonly caller: Caller },
    id: Uuid | undefined,
  ): Promise<Row | null> => (id ? ((await load(context, id)) ?? null) : null);
}
