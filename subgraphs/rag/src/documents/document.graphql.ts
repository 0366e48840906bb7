import { GraphQLError } from 'graphql';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { DocumentRef, KnowledgeBaseRef, loadKnowledgeBase } from '../references.graphql.ts';
import type { DocumentFailure, DocumentState } from './document.ts';
import { followDocuments } from './follow-documents.ts';

const StateEnum = builder.enumType('DocumentState', {
  description: 'Where a document stands.',
  values: {
    AWAITING_UPLOAD: { description: 'It is announced; its bytes are awaited.' },
    UPLOADED: { description: 'Its bytes are there; it waits to be ingested.' },
    INGESTING: { description: 'It is being made searchable.' },
    READY: { description: 'It can be found.' },
    FAILED: { description: 'It could not be made searchable; documentIngest tries once more.' },
  } satisfies Record<DocumentState, object>,
});

const FailureEnum = builder.enumType('DocumentFailure', {
  description: 'Why a document could not be made searchable. Stable; messages may change.',
  values: {
    FILE_ENCRYPTED: { description: 'It needs a password.' },
    FILE_BROKEN: { description: 'It cannot be read as what it says it is.' },
    FILE_TOO_LARGE: { description: 'It has more bytes, pages or text than is taken.' },
    ZIP_BOMB: { description: 'It unpacks to more than it has a reason to.' },
    TYPE_MISMATCH: { description: 'Its bytes are of another kind than its content type.' },
    TYPE_UNSUPPORTED: { description: 'It is not a kind of file that can be read.' },
    NO_TEXT: { description: 'There is nothing to search in: a scan, or an empty file.' },
    EXTRACTION_TIMEOUT: { description: 'Reading it took too long.' },
    EXTRACTION_MEMORY: { description: 'Reading it took too much memory.' },
    ENGINE_STUCK: { description: 'The search engine did not come to an end with it.' },
    ENGINE_FAILED: { description: 'The search engine gave up on it; another attempt may do better.' },
    UPLOAD_MISSING: { description: 'Its bytes are not in storage any more; upload it anew.' },
    UPLOAD_MISMATCH: { description: 'What lies in storage is not the file that was announced.' },
    ENGINE_UNAVAILABLE: { description: 'The search engine or the storage could not be reached for long.' },
    INTERNAL: { description: 'Something went wrong on our side.' },
  } satisfies Record<DocumentFailure, object>,
});

DocumentRef.implement({
  description: 'A file in a knowledge base.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Document', id) }),
    knowledgeBase: t.field({
      type: KnowledgeBaseRef,
      description: 'Where it is in.',
      resolve: async ({ knowledgeBaseId }, _args, context) =>
        (await loadKnowledgeBase(context, knowledgeBaseId))!,
    }),
    name: t.exposeString('name', { description: 'As it was called where it comes from.' }),
    contentType: t.exposeString('contentType', { description: 'What kind of file it is.' }),
    sizeBytes: t.string({
      description: 'Its size, in a decimal string.',
      resolve: ({ sizeBytes }) => String(sizeBytes),
    }),
    sha256: t.exposeString('sha256', { nullable: true, description: 'Of its bytes, in hex.' }),
    state: t.expose('state', { type: StateEnum, description: 'Where it stands.' }),
    attempt: t.exposeInt('attempt', { description: 'Counts the times that it was asked to be ingested.' }),
    progress: t.exposeFloat('progress', {
      description: 'How far it is, 0 to 1; never goes back within an attempt.',
    }),
    chunkCount: t.exposeInt('chunkCount', { description: 'Passages that can be found in it.' }),
    failure: t.expose('failure', {
      type: FailureEnum,
      nullable: true,
      description: 'With FAILED: why, as a stable code.',
    }),
    error: t.exposeString('error', { nullable: true, description: 'With FAILED: why, in words.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was announced.' }),
  }),
});

builder.subscriptionField('documentChanged', (t) =>
  t.field({
    type: DocumentRef,
    description:
      'Documents of a knowledge base that are not done yet, and then each document when it changes, until the knowledge base is removed. Needs knowledge:read.',
    args: { knowledgeBaseId: t.arg.id({ description: 'Of which knowledge base.' }) },
    subscribe: async (_root, { knowledgeBaseId }, context) => {
      const base = await loadKnowledgeBase(context, fromGlobalId('KnowledgeBase', knowledgeBaseId));
      if (!base)
        throw new GraphQLError('There is no such knowledge base.', { extensions: { code: 'NOT_FOUND' } });
      const { deps, caller, request } = context;
      return followDocuments(deps, caller, { knowledgeBaseId: base.id, signal: request.signal });
    },
    resolve: (document) => document,
  }),
);
