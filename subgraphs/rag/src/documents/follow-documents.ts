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
  let head: bigint | undefined;
  let seen = -1n;
  let only: 'undone' | 'all' = 'undone';
  for await (const _bell of room.documentChanges.follow(knowledgeBaseId, signal))
    for (let more = true; more && !signal.aborted;) {
      const found = await room.db.transaction(scope, async (tx) => {
        // The base first: changes up to its revision are committed, later ones come again.
        const [base] = await knowledgeBasesByIds(tx, [knowledgeBaseId]);
        return (
          base && { base, changed: await changedDocuments(tx, base.id, { after: seen, only, limit: batch }) }
        );
      });
      if (!found) return;
      head ??= found.base.revision;
      yield* found.changed;
      more = found.changed.length === batch;
      seen = found.changed.at(-1)?.revision ?? seen;
      if (only === 'all' || more) continue;
      // Whatever changed since the first look follows.
      only = 'all';
      seen = head;
      more = true;
    }
}
