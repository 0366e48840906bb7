import { builder } from '../builder.ts';
import { quotaKinds, type Quota, type QuotaKind } from './knowledge-base.ts';

const QuotaKindEnum = builder.enumType('KnowledgeQuotaKind', {
  description: 'What plans give a limited amount of.',
  values: Object.fromEntries(
    Object.entries(quotaKinds).map(([kind, description]) => [
      kind,
      { value: kind as QuotaKind, description },
    ]),
  ),
});

export const QuotaType = builder.objectRef<Quota>('KnowledgeQuota').implement({
  description: "A limit of a project's plans that a command would have gone over.",
  fields: (t) => ({
    what: t.expose('what', { type: QuotaKindEnum, description: 'Of what.' }),
    limit: t.string({
      description: 'The limit, in a decimal string.',
      resolve: ({ limit }) => String(limit),
    }),
    used: t.string({
      description: 'What is taken already, without what was asked for, in a decimal string.',
      resolve: ({ used }) => String(used),
    }),
  }),
});

/** The quota that a refusal is about. */
export const quotaOf = (refusals: readonly object[]): Quota | null => {
  const [refusal] = refusals as readonly { readonly quota?: Quota }[];
  return refusal?.quota ?? null;
};
