import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { abandonPending, markRemoved, unremoved } from './bindings.store.ts';
import { refOf } from './remove-secret.ts';
import { pruneToolAccess } from './tool-access.store.ts';

const scope = systemScope('finish-bindings');

/**
 * Finishes what a crash or a secret store that was away left half done: bindings that never got their secret are revoked after an hour, and secrets of revoked
 * ones are removed. Also ends old changes that nobody follows any more.
 */
export const startBindingSweep = (room: Room): Loop =>
  startLoop({ name: 'finish-bindings', log: room.log, everyMs: 10_000, work: () => finishBindings(room) });

export async function finishBindings({ db, secrets }: Room): Promise<void> {
  const left = await db.transaction(scope, async (tx) => {
    await pruneToolAccess(tx);
    await abandonPending(tx);
    return unremoved(tx);
  });
  for (const binding of left) {
    await secrets.remove(refOf(binding));
    await db.transaction(scope, (tx) => markRemoved(tx, binding.id));
  }
}
