import { fromGlobalId } from '@agentstore/kernel/ids';
import { refusalType } from '@agentstore/kernel/graphql/refusals';
import type { Outcome } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { QuotaType, quotaOf } from '../knowledge-bases/quota.graphql.ts';
import { DocumentRef } from '../references.graphql.ts';
import { deleteDocument } from './delete-document.ts';
import type { UploadRequest } from './document-storage.ts';
import { documentRefusalCodes, type Document, type DocumentRefusal } from './document.ts';
import { initUpload } from './init-upload.ts';
import { requestIngest } from './request-ingest.ts';

const DocumentError = refusalType(builder, 'Document', documentRefusalCodes);

interface Payload {
  readonly document: Document | null;
  readonly errors: readonly DocumentRefusal[];
}
const payloadOf = (outcome: Outcome<Document, DocumentRefusal>): Payload =>
  outcome.ok ? { document: outcome.value, errors: [] } : { document: null, errors: [outcome.error] };

const DocumentPayload = builder.objectRef<Payload>('DocumentPayload').implement({
  description: 'What became of a command on a document.',
  fields: (t) => ({
    document: t.expose('document', {
      type: DocumentRef,
      nullable: true,
      description: 'The document; null when the command was refused.',
    }),
    errors: t.field({
      type: [DocumentError],
      description: 'Why it was refused; empty when it was not.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const UploadHeaderType = builder
  .objectRef<{ readonly name: string; readonly value: string }>('UploadHeader')
  .implement({
    description: 'A header to send exactly so.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name.' }),
      value: t.exposeString('value', { description: 'Its value.' }),
    }),
  });
const UploadType = builder.objectRef<UploadRequest>('DocumentUpload').implement({
  description:
    'The request that puts the bytes into storage. Size, type and sha256 are bound into its signature: other bytes are refused there.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where to.' }),
    method: t.exposeString('method', { description: 'PUT.' }),
    headers: t.field({
      type: [UploadHeaderType],
      description:
        'To be sent along; Content-Length too must be as announced, which clients set by themselves.',
      resolve: ({ headers }) => Object.entries(headers).map(([name, value]) => ({ name, value })),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'It must have begun by then.' }),
  }),
});

interface InitPayload extends Payload {
  readonly upload: UploadRequest | null;
}
const DocumentUploadInitPayload = builder.objectRef<InitPayload>('DocumentUploadInitPayload').implement({
  description: 'What became of a file that was announced.',
  fields: (t) => ({
    document: t.expose('document', {
      type: DocumentRef,
      nullable: true,
      description: 'The document; null when it was refused.',
    }),
    upload: t.expose('upload', {
      type: UploadType,
      nullable: true,
      description: 'How its bytes are uploaded; then call documentIngest.',
    }),
    quota: t.field({
      type: QuotaType,
      nullable: true,
      description: 'With QUOTA_EXCEEDED and NOT_ENTITLED: which limit.',
      resolve: ({ errors }) => quotaOf(errors),
    }),
    errors: t.field({
      type: [DocumentError],
      description: 'Why it was refused; empty when it was not.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const InitInput = builder.inputType('DocumentUploadInitInput', {
  description: 'A file to upload.',
  fields: (t) => ({
    knowledgeBaseId: t.id({ description: 'Into which knowledge base.' }),
    name: t.string({ description: 'Its name with its ending, 1 to 255 bytes.' }),
    contentType: t.string({
      description: 'What kind of file it is, e.g. application/pdf; without parameters.',
    }),
    sizeBytes: t.int({ description: 'How many bytes it has.' }),
    sha256: t.string({ description: 'Of its bytes, in 64 lower-case hex digits.' }),
  }),
});
builder.mutationField('documentUploadInit', (t) =>
  t.field({
    type: DocumentUploadInitPayload,
    description:
      'Announces a file and answers where to put its bytes. The same file announced again while it is awaited is the same document. Needs knowledge:manage.',
    args: { input: t.arg({ type: InitInput, description: 'The file.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<InitPayload> => {
      const outcome = await initUpload(deps, caller, {
        ...input,
        knowledgeBaseId: fromGlobalId('KnowledgeBase', input.knowledgeBaseId),
      });
      return outcome.ok
        ? { ...outcome.value, errors: [] }
        : { document: null, upload: null, errors: [outcome.error] };
    },
  }),
);

const IngestInput = builder.inputType('DocumentIngestInput', {
  description: 'A document to make searchable.',
  fields: (t) => ({
    documentId: t.id({ description: 'Which.' }),
    knowledgeBaseId: t.id({
      required: false,
      description: 'In which knowledge base it must be; in any unless said.',
    }),
  }),
});
builder.mutationField('documentIngest', (t) =>
  t.field({
    type: DocumentPayload,
    description:
      'Checks that the announced bytes were uploaded and has them made searchable; follow it with documentChanged. A failed document is tried once more; one that is under way or done stays as it is. Needs knowledge:manage.',
    args: { input: t.arg({ type: IngestInput, description: 'Which document.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        await requestIngest(deps, caller, {
          documentId: fromGlobalId('Document', input.documentId),
          knowledgeBaseId: input.knowledgeBaseId
            ? fromGlobalId('KnowledgeBase', input.knowledgeBaseId)
            : null,
        }),
      ),
  }),
);

const DeleteInput = builder.inputType('DocumentDeleteInput', {
  description: 'A document to delete.',
  fields: (t) => ({ documentId: t.id({ description: 'Which.' }) }),
});
builder.mutationField('documentDelete', (t) =>
  t.field({
    type: DocumentPayload,
    description:
      'Deletes a document: it is found no longer, also while it is being ingested, and its bytes are removed. Needs knowledge:manage.',
    args: { input: t.arg({ type: DeleteInput, description: 'Which document.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(await deleteDocument(deps, caller, fromGlobalId('Document', input.documentId))),
  }),
);
