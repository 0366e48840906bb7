import { systemScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { findFor } from '../find-for.ts';
import { noDocument, type Document, type DocumentRefusal } from './document.ts';
import {
  documentsByIds,
  markDeleted,
  postponePurge,
  purgeLater,
  removeDocument,
  type DeletedDocument,
} from './documents.store.ts';

/** Ends a document: nothing of it is found once this is committed, whoever ingests it stops, then the sweep removes what is left. */
export async function deleteDocument(
  room: Room,
  caller: Caller,
  id: Uuid | undefined,
): Promise<Outcome<Document, DocumentRefusal>> {
  const found = await findFor(room, caller, 'knowledge:manage', async (tx) =>
    id ? (await documentsByIds(tx, [id]))[0] : undefined,
  );
  const deleted = found && (await room.db.transaction(found.scope, (tx) => markDeleted(tx, found.row.id)));
  return deleted ? done(deleted) : refused(noDocument);
}

/** Removes a deleted document from the engine and from storage, on both sides once more when nobody can put bytes there any longer. */
export async function purgeDocument(room: Room, document: DeletedDocument): Promise<void> {
  const scope = systemScope('purge-document');
  try {
    await room.engine.deleteDocument({ ...document, documentId: document.id });
    await room.storage.remove(document);
    await room.db.transaction(scope, (tx) =>
      document.uploadable ? purgeLater(tx, document.id, room.uploadSeconds) : removeDocument(tx, document.id),
    );
  } catch (error) {
    room.log.warn({ err: error, documentId: document.id }, 'a document is not removed yet');
    await room.db.transaction(scope, (tx) => postponePurge(tx, document.id));
  }
}
