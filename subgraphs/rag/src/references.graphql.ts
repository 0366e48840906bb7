import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import { fromGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { builder, connection } from './builder.ts';
import type { Room } from './deps.ts';
import type { Document } from './documents/document.ts';
import { documentsByIds } from './documents/documents.store.ts';
import type { KnowledgeBase } from './knowledge-bases/knowledge-base.ts';
import { holdingsOf, knowledgeBasesByIds } from './knowledge-bases/knowledge-bases.store.ts';

/** The entities of this subgraph by name, so that their files may point at each other; each is implemented in its noun's folder. */
export const KnowledgeBaseRef = builder.objectRef<KnowledgeBase>('KnowledgeBase');
export const DocumentRef = builder.objectRef<Document>('Document');
/** Control-plane's; known by its id alone. */
export const ProjectRef = builder.objectRef<{ id: string }>('Project');
export const KnowledgeBaseConnection = connection('KnowledgeBase', KnowledgeBaseRef);
export const DocumentConnection = connection('Document', DocumentRef);

interface Context {
  readonly deps: Room;
  readonly caller: Caller;
}

/** A loader by id in the caller's scope (`knowledge:read`). An id that is malformed, unknown or another organization's gives null. */
function loader<Row extends { readonly id: Uuid }>(read: (tx: Tx, ids: readonly Uuid[]) => Promise<Row[]>) {
  const load = turnLoader(
    (caller) => callerScope(caller, 'knowledge:read'),
    async (tx, ids) => new Map((await read(tx, ids)).map((row) => [row.id, row])),
  );
  return async (context: Context, id: Uuid | undefined): Promise<Row | null> =>
    id ? ((await load(context, id)) ?? null) : null;
}

export const loadKnowledgeBase = loader(knowledgeBasesByIds);
export const loadHoldings = loader(holdingsOf);
const loadDocument = loader(documentsByIds);

builder.asEntity(KnowledgeBaseRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => loadKnowledgeBase(context, fromGlobalId('KnowledgeBase', id)),
});
builder.asEntity(DocumentRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => loadDocument(context, fromGlobalId('Document', id)),
});
builder.asEntity(ProjectRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});
