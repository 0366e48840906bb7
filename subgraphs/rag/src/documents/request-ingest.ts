import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import { UnavailableError } from '@agentstore/kernel/service-client';
import type { Room } from '../deps.ts';
import { findFor } from '../find-for.ts';
import { UploadError } from './document-storage.ts';
import { noDocument, startsAttempt, type Document, type DocumentRefusal } from './document.ts';
import { beginAttempt, documentsByIds } from './documents.store.ts';

/**
 * Checks that the announced bytes are there and puts the document in line to be ingested; a failed one once more. Asking again while it is under way, or
 * done, changes nothing.
 */
export async function requestIngest(
  room: Room,
  caller: Caller,
  input: {
    readonly documentId: Uuid | undefined;
    /** Where it must be; null: anywhere. */
    readonly knowledgeBaseId: Uuid | undefined | null;
  },
): Promise<Outcome<Document, DocumentRefusal>> {
  const { documentId, knowledgeBaseId } = input;
  const found = await findFor(room, caller, 'knowledge:manage', async (tx) => {
    const [document] = documentId ? await documentsByIds(tx, [documentId]) : [];
    return knowledgeBaseId !== null && document?.knowledgeBaseId !== knowledgeBaseId ? undefined : document;
  });
  if (!found) return refused(noDocument);
  const { row: document, scope } = found;
  if (!startsAttempt(document)) return done(document);
  const patience = AbortSignal.timeout(room.checkDeadlineMs);
  try {
    await room.storage.check(document);
    for await (const _piece of room.storage.bytes(document, patience)) void _piece; // until the end, where its hash is told
  } catch (error) {
    if (error instanceof UploadError) return refused({ code: error.code, message: error.message });
    throw patience.aborted ? new UnavailableError('object storage', 'the file was not read in time') : error;
  }
  const begun = await room.db.transaction(
    scope,
    async (tx) => (await beginAttempt(tx, document.id)) ?? (await documentsByIds(tx, [document.id]))[0],
  );
  return begun ? done(begun) : refused(noDocument);
}
