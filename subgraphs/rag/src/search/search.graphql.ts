import { fromGlobalId, type Uuid } from '@agentstore/kernel/ids';
import type { Refusal } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import type { Citation } from '../engines/engine.ts';
import { KnowledgeBaseError } from '../knowledge-bases/knowledge-base.graphql.ts';
import { citationOf } from './citation.ts';
import { searchKnowledgeBase } from './search-knowledge.ts';

const CitationType = builder.objectRef<Citation>('Citation').implement({
  description: 'A piece of a document that an answer rests on.',
  shareable: true,
  fields: (t) => ({
    documentId: t.exposeID('documentId', { description: 'The document.' }),
    documentName: t.exposeString('documentName', { description: 'Its name.' }),
    chunkId: t.exposeID('chunkId', { description: 'The piece.' }),
    text: t.exposeString('text', { description: 'The text of the piece.' }),
    score: t.exposeFloat('score', { description: 'How well it fits, 0 to 1.' }),
    page: t.exposeInt('page', { nullable: true, description: 'Its page, where the document has pages.' }),
  }),
});

interface Result {
  readonly citations: readonly Citation[];
  readonly errors: readonly Refusal[];
}
const SearchResult = builder.objectRef<Result>('KnowledgeBaseSearchResult').implement({
  description: 'What was found in a knowledge base.',
  fields: (t) => ({
    citations: t.field({
      type: [CitationType],
      description: 'The best passages, best first; none for a base that is not READY.',
      resolve: ({ citations }) => citations.map(citationOf),
    }),
    errors: t.field({
      type: [KnowledgeBaseError],
      description: 'Why nothing was looked for; empty when it was.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const SearchInput = builder.inputType('KnowledgeBaseSearchInput', {
  description: 'What to look for.',
  fields: (t) => ({
    knowledgeBaseId: t.id({ description: 'Where.' }),
    query: t.string({ description: 'What somebody asks, in words: 1 to 1,000 characters.' }),
    limit: t.int({ required: false, defaultValue: 10, description: 'Most passages, 1 to 50.' }),
    documentIds: t.idList({ required: false, description: 'Only in these documents; in all unless said.' }),
  }),
});
builder.queryField('knowledgeBaseSearch', (t) =>
  t.field({
    type: SearchResult,
    description: 'Looks for passages of documents that answer a question. Needs knowledge:read.',
    args: { input: t.arg({ type: SearchInput, description: 'What to look for, and where.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Result> => {
      const outcome = await searchKnowledgeBase(deps, caller, {
        knowledgeBaseId: fromGlobalId('KnowledgeBase', input.knowledgeBaseId),
        query: input.query,
        limit: input.limit ?? 10,
        documents: input.documentIds
          ?.map((id) => fromGlobalId('Document', id))
          .filter((id): id is Uuid => id !== undefined),
      });
      return outcome.ok
        ? { citations: outcome.value, errors: [] }
        : { citations: [], errors: [outcome.error] };
    },
  }),
);
