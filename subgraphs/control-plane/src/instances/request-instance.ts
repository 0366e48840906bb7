import type { Tx } from '@agentstore/kernel/db/database';
import { addEvent, insertInstance, queueForGit, type NewInstance } from './instances.store.ts';

/** Requests an instance once per key, in the caller's transaction: the row, its first timeline entry and its place in line for Git. */
export async function requestInstance(tx: Tx, input: NewInstance): ReturnType<typeof insertInstance> {
  const requested = await insertInstance(tx, input);
  if (requested.created) {
    await addEvent(tx, requested.instance, {
      kind: 'requested',
      generation: 1,
      message: `by ${tx.scope.actor}`,
    });
    await queueForGit(tx, requested.instance);
  }
  return requested;
}
