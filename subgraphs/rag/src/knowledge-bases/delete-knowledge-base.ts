import { systemScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { findFor } from '../find-for.ts';
import { putInLine } from './desired-state.store.ts';
import {
  engineBaseOf,
  noKnowledgeBase,
  type KnowledgeBase,
  type KnowledgeBaseRefusal,
} from './knowledge-base.ts';
import {
  knowledgeBasesByIds,
  markDeleting,
  noteFault,
  removeKnowledgeBase,
} from './knowledge-bases.store.ts';

/**
 * Ends a base with all its documents: nothing of it is found once this is committed. Then its folder goes from Git, and once that is seen to be applied the
 * sweep removes what it owns. Again is fine.
 */
export async function deleteKnowledgeBase(
  room: Room,
  caller: Caller,
  id: Uuid | undefined,
): Promise<Outcome<KnowledgeBase, KnowledgeBaseRefusal>> {
  const found = await findFor(room, caller, 'knowledge:manage', async (tx) =>
    id ? (await knowledgeBasesByIds(tx, [id]))[0] : undefined,
  );
  if (!found) return refused(noKnowledgeBase);
  const { row, scope } = found;
  const base = await room.db.transaction(scope, async (tx) => {
    if (await markDeleting(tx, row.id)) await putInLine(tx, [row]);
    return (await knowledgeBasesByIds(tx, [row.id]))[0];
  });
  return base ? done(base) : refused(noKnowledgeBase);
}

/** Removes a base whose documents are gone from the engine, and then its row. */
export async function purgeKnowledgeBase({ db, engine, log }: Room, base: KnowledgeBase): Promise<void> {
  const scope = systemScope('purge-knowledge-base');
  try {
    await engine.deleteBase(engineBaseOf(base));
    await db.transaction(scope, (tx) => removeKnowledgeBase(tx, base.id));
  } catch (error) {
    log.warn({ err: error, knowledgeBaseId: base.id }, 'a knowledge base is not removed yet');
    await db.transaction(scope, (tx) => noteFault(tx, base.id, 0));
  }
}
