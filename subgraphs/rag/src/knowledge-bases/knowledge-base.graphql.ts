import { callerScope } from '@agentstore/kernel/access';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { documentsOf } from '../documents/documents.store.ts';
import type { Language } from '../engines/engine.ts';
import {
  DocumentConnection,
  KnowledgeBaseConnection,
  KnowledgeBaseRef,
  ProjectRef,
  loadHoldings,
  loadKnowledgeBase,
} from '../references.graphql.ts';
import { waitingFor } from './desired-state.ts';
import { knowledgeBaseRefusalCodes, type KnowledgeBaseState } from './knowledge-base.ts';
import { knowledgeBasesOf } from './knowledge-bases.store.ts';

export const KnowledgeBaseError = refusalType(builder, 'KnowledgeBase', knowledgeBaseRefusalCodes);

const StateEnum = builder.enumType('KnowledgeBaseState', {
  description: 'Where a knowledge base stands.',
  values: {
    PROVISIONING: { description: 'It is being made; nothing can be put into it yet.' },
    READY: { description: 'It takes documents and answers.' },
    DELETING: { description: 'It answers nothing any more and is being removed with its documents.' },
    FAILED: { description: 'It could not be made; delete it and make another.' },
  } satisfies Record<KnowledgeBaseState, object>,
});

export const LanguageEnum = builder.enumType('KnowledgeLanguage', {
  description: 'In which language documents are written: how words are brought to their stems.',
  values: {
    ENGLISH: { value: 'english', description: 'English.' },
    GERMAN: { value: 'german', description: 'German.' },
    FRENCH: { value: 'french', description: 'French.' },
    SPANISH: { value: 'spanish', description: 'Spanish.' },
    SIMPLE: { value: 'simple', description: 'Any other: words are taken as they stand.' },
  } satisfies Record<Uppercase<Language>, { value: Language; description: string }>,
});

KnowledgeBaseRef.implement({
  description: 'Documents of a project that are searched together.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('KnowledgeBase', id) }),
    name: t.exposeString('name', { description: 'For people.' }),
    project: t.field({
      type: ProjectRef,
      description: 'Whose.',
      resolve: ({ projectId }) => ({ id: toGlobalId('Project', projectId) }),
    }),
    language: t.expose('language', {
      type: LanguageEnum,
      nullable: true,
      description: 'Of its documents; null: found out for each.',
    }),
    state: t.expose('state', { type: StateEnum, description: 'Where it stands.' }),
    waitingFor: t.string({
      nullable: true,
      description:
        'While it is not as it should be yet: what was seen that keeps it from that, in words. Null when nothing is known.',
      resolve: waitingFor,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    documents: t.field({
      type: DocumentConnection,
      description: 'Its documents, oldest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        const scope = callerScope(caller, 'knowledge:read');
        const rows = await deps.db.transaction(scope, (tx) => documentsOf(tx, id, page));
        return pageOf(rows, page, (row) => row.id);
      },
    }),
    chunkCount: t.int({
      description: 'Passages that can be found in it.',
      resolve: async ({ id }, _args, context) => (await loadHoldings(context, id))?.chunks ?? 0,
    }),
    sizeBytes: t.string({
      description: 'Bytes of its documents together, in a decimal string.',
      resolve: async ({ id }, _args, context) => String((await loadHoldings(context, id))?.bytes ?? 0),
    }),
  }),
});

ProjectRef.implement({
  description: 'Where instances of an organization belong together.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    knowledgeBases: t.field({
      type: KnowledgeBaseConnection,
      description: 'Its knowledge bases, oldest first. Needs knowledge:read.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        const projectId = fromGlobalId('Project', id);
        const scope = callerScope(caller, 'knowledge:read');
        const rows = projectId
          ? await deps.db.transaction(scope, (tx) => knowledgeBasesOf(tx, projectId, page))
          : [];
        return pageOf(rows, page, (row) => row.id);
      },
    }),
  }),
});

builder.queryField('knowledgeBase', (t) =>
  t.field({
    type: KnowledgeBaseRef,
    nullable: true,
    description: 'One knowledge base; null when there is none for the caller. Needs knowledge:read.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, context) => loadKnowledgeBase(context, fromGlobalId('KnowledgeBase', id)),
  }),
);
