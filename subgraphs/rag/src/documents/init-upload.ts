import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { findFor } from '../find-for.ts';
import { renewLimits } from '../knowledge-bases/desired-state.store.ts';
import { noKnowledgeBase, quotaRefusal } from '../knowledge-bases/knowledge-base.ts';
import { knowledgeBasesByIds, lockQuota } from '../knowledge-bases/knowledge-bases.store.ts';
import type { UploadRequest } from './document-storage.ts';
import { fileFault, type AnnouncedFile, type Document, type DocumentRefusal } from './document.ts';
import { countDocuments, insertDocument, renewUpload } from './documents.store.ts';

/**
 * Announces a file: takes its place in the quota and answers where its bytes go, which never pass through us. The same file announced again while it is
 * awaited is the same document.
 */
export async function initUpload(
  room: Room,
  caller: Caller,
  { knowledgeBaseId, ...file }: AnnouncedFile & { readonly knowledgeBaseId: Uuid | undefined },
): Promise<Outcome<{ readonly document: Document; readonly upload: UploadRequest }, DocumentRefusal>> {
  const fault = fileFault(file, room.maxFileBytes);
  if (fault) return refused(fault);
  const found = await findFor(room, caller, 'knowledge:manage', async (tx) =>
    knowledgeBaseId ? (await knowledgeBasesByIds(tx, [knowledgeBaseId]))[0] : undefined,
  );
  if (!found) return refused(noKnowledgeBase);
  const { row: base, scope } = found;
  const limits = await room.projectLimits.of(base.projectId);
  if (!limits) return refused(noKnowledgeBase);
  const made = await room.db.transaction(scope, async (tx): Promise<Outcome<Document, DocumentRefusal>> => {
    await lockQuota(tx, base.projectId);
    await renewLimits(tx, base.projectId, limits);
    const awaited = await renewUpload(tx, base.id, file, room.uploadSeconds);
    if (awaited) return done(awaited);
    const used = await countDocuments(tx, base);
    if (used.documents >= limits.documents)
      return refused(quotaRefusal({ what: 'DOCUMENTS', limit: limits.documents, used: used.documents }));
    if (used.bytes + file.sizeBytes > limits.bytes)
      return refused(quotaRefusal({ what: 'BYTES', limit: limits.bytes, used: used.bytes }));
    const document = await insertDocument(tx, base, file, room.uploadSeconds);
    return document
      ? done(document)
      : refused({
          code: 'KNOWLEDGE_BASE_NOT_READY',
          message: 'The knowledge base takes no documents now.',
          field: 'knowledgeBaseId',
        });
  });
  return made.ok
    ? done({ document: made.value, upload: await room.storage.presignUpload(made.value) })
    : made;
}
