import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from './deps.ts';

interface Context {
  readonly deps: Room;
  readonly caller: Caller;
}

/**
 * A loader of rows by id for resolvers: what one request asks for in the same turn is read in one query, in the caller's scope (`run:read`).
 * An id that is malformed, unknown or another organization's gives null.
 */
export function rowLoader<Row extends { readonly id: Uuid }>(
  read: (tx: Tx, ids: readonly Uuid[]) => Promise<Row[]>,
) {
  const open = new WeakMap<Context, { ids: Set<Uuid>; rows: Promise<Map<Uuid, Row>> }>();
  return async (context: Context, id: Uuid | undefined): Promise<Row | null> => {
    if (!id) return null;
    let turn = open.get(context);
    if (!turn) {
      const ids = new Set<Uuid>();
      const rows = new Promise((resolve) => setImmediate(resolve)).then(async () => {
        open.delete(context);
        const found = await context.deps.db.transaction(callerScope(context.caller, 'run:read'), (tx) =>
          read(tx, [...ids]),
        );
        return new Map(found.map((row) => [row.id, row]));
      });
      turn = { ids, rows };
      open.set(context, turn);
    }
    turn.ids.add(id);
    return (await turn.rows).get(id) ?? null;
  };
}
