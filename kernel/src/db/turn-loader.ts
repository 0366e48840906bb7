import type { Scope } from '../access.ts';
import type { Caller } from '../caller.ts';
import type { Database, Tx } from './database.ts';
import type { Uuid } from '../ids.ts';

interface Context {
  readonly deps: { readonly db: Database };
  readonly caller: Caller;
}

/**
 * A loader for resolvers: what one request asks for in the same turn is read in one transaction, in the scope that its caller has. Undefined for
 * what `read` did not find there: unknown ids and another organization's alike.
 */
export function turnLoader<Value>(
  scopeOf: (caller: Caller) => Scope,
  read: (tx: Tx, ids: readonly Uuid[]) => Promise<ReadonlyMap<Uuid, Value>>,
): (context: Context, id: Uuid) => Promise<Value | undefined> {
  const open = new WeakMap<Context, { ids: Set<Uuid>; values: Promise<ReadonlyMap<Uuid, Value>> }>();
  return async (context, id) => {
    let turn = open.get(context);
    if (!turn) {
      const ids = new Set<Uuid>();
      const values = new Promise((resolve) => setImmediate(resolve)).then(async () => {
        open.delete(context);
        return context.deps.db.transaction(scopeOf(context.caller), (tx) => read(tx, [...ids]));
      });
      turn = { ids, values };
      open.set(context, turn);
    }
    turn.ids.add(id);
    return (await turn.values).get(id);
  };
}
