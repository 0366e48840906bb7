import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Outcome } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { KnowledgeBaseRef } from '../references.graphql.ts';
import { createKnowledgeBase } from './create-knowledge-base.ts';
import { deleteKnowledgeBase } from './delete-knowledge-base.ts';
import { KnowledgeBaseError, LanguageEnum } from './knowledge-base.graphql.ts';
import type { KnowledgeBase, KnowledgeBaseRefusal } from './knowledge-base.ts';
import { QuotaType, quotaOf } from './quota.graphql.ts';

interface Payload {
  readonly knowledgeBase: KnowledgeBase | null;
  readonly errors: readonly KnowledgeBaseRefusal[];
}
const payloadOf = (outcome: Outcome<KnowledgeBase, KnowledgeBaseRefusal>): Payload =>
  outcome.ok
    ? { knowledgeBase: outcome.value, errors: [] }
    : { knowledgeBase: null, errors: [outcome.error] };

const KnowledgeBasePayload = builder.objectRef<Payload>('KnowledgeBasePayload').implement({
  description: 'What became of a command on a knowledge base.',
  fields: (t) => ({
    knowledgeBase: t.expose('knowledgeBase', {
      type: KnowledgeBaseRef,
      nullable: true,
      description: 'The knowledge base; null when the command was refused.',
    }),
    quota: t.field({
      type: QuotaType,
      nullable: true,
      description: 'With QUOTA_EXCEEDED and NOT_ENTITLED: which limit.',
      resolve: ({ errors }) => quotaOf(errors),
    }),
    errors: t.field({
      type: [KnowledgeBaseError],
      description: 'Why it was refused; empty when it was not.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const CreateInput = builder.inputType('KnowledgeBaseCreateInput', {
  description: 'A knowledge base to make.',
  fields: (t) => ({
    projectId: t.id({ description: 'In which project.' }),
    name: t.string({ description: '1 to 128 characters, for people.' }),
    language: t.field({
      type: LanguageEnum,
      required: false,
      description: 'Of its documents; found out for each unless said.',
    }),
    idempotencyKey: t.string({
      description:
        'Chosen by the client, 1 to 200 printable ASCII characters; the same key makes one knowledge base, however often it is sent.',
    }),
  }),
});
builder.mutationField('knowledgeBaseCreate', (t) =>
  t.field({
    type: KnowledgeBasePayload,
    description:
      "Makes a knowledge base in a project, as far as its instances' plans allow. Needs knowledge:manage.",
    args: { input: t.arg({ type: CreateInput, description: 'The knowledge base.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        await createKnowledgeBase(deps, caller, {
          projectId: fromGlobalId('Project', input.projectId),
          name: input.name,
          language: input.language ?? null,
          idempotencyKey: input.idempotencyKey,
        }),
      ),
  }),
);

const DeleteInput = builder.inputType('KnowledgeBaseDeleteInput', {
  description: 'A knowledge base to delete.',
  fields: (t) => ({ knowledgeBaseId: t.id({ description: 'Which.' }) }),
});
builder.mutationField('knowledgeBaseDelete', (t) =>
  t.field({
    type: KnowledgeBasePayload,
    description:
      'Deletes a knowledge base with all its documents: it answers nothing from now on, and is gone when everything of it is removed. Needs knowledge:manage.',
    args: { input: t.arg({ type: DeleteInput, description: 'Which knowledge base.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        await deleteKnowledgeBase(deps, caller, fromGlobalId('KnowledgeBase', input.knowledgeBaseId)),
      ),
  }),
);
