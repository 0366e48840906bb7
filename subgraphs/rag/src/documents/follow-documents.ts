import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { knowledgeBasesByIds } from '../knowledge-bases/knowledge-bases.store.ts';
import type { Document } from './document.ts';
import { changedDocuments } from './documents.store.ts';

const batch = 100;

/**
 * The documents of a base that are not done, then each that changes: what it is by then, so that a slow client skips steps. Ends when the
 * base is removed.
 */
export async function* followDocuments(
  room: Room,
  caller: Caller,
  { knowledgeBaseId, signal }: { knowledgeBaseId: Uuid; signal: AbortSignal },
): AsyncGenerator<Document, void, void> {
  const scope = callerScope(caller, 'knowledge:read');
  let seen: bigint | null = null;
  for await (const _bell of room.documentChanges.follow(knowledgeBaseId, signal))
    for (let more = true; more && !signal.aborted;) {
      const { base, changed } = await room.db.transaction(scope, async (tx) => {
        // The base first: changes up to its revision are committed, later ones come again.
        const [base] = await knowledgeBasesByIds(tx, [knowledgeBaseId]);
        return { base, changed: base ? await changedDocuments(tx, base.id, seen, batch) : [] };
      });
      if (!base) return;
      yield* changed;
      more = seen !== null && changed.length === batch;
      seen = seen === null ? base.revision : (changed.at(-1)?.revision ?? seen);
    }
}
