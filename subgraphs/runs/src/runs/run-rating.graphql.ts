import { callerScope } from '@agentstore/kernel/access';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { RunRef } from '../references.graphql.ts';
import { rateRun } from './rate-run.ts';
import { RunPayload, payloadOf } from './run-commands.graphql.ts';
import { ratingsOf, type RunRating } from './run-ratings.store.ts';

const RatingEnum = builder.enumType('RunRatingValue', {
  description: 'A thumb.',
  values: {
    UP: { description: 'The answer helped.' },
    DOWN: { description: 'It did not.' },
  } as const,
});

const RunRatingType = builder.objectRef<RunRating>('RunRating').implement({
  description: "What somebody thought of a run's answer.",
  fields: (t) => ({
    rating: t.expose('rating', { type: RatingEnum, description: 'The thumb.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, in their words.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was last said.' }),
  }),
});

const loadRating = turnLoader((caller) => callerScope(caller, 'run:read'), ratingsOf);

builder.objectField(RunRef, 'rating', (t) =>
  t.field({
    type: RunRatingType,
    nullable: true,
    description:
      "The caller's own rating, else the newest of anybody; a visitor of the widget sees their own only.",
    resolve: async ({ id }, _args, context) => (await loadRating(context, id)) ?? null,
  }),
);

const RunRateInput = builder.inputType('RunRateInput', {
  description: 'A rating of a run.',
  fields: (t) => ({
    runId: t.id({ description: 'Which run.' }),
    rating: t.field({ type: RatingEnum, description: 'The thumb.' }),
    reason: t.string({ required: false, description: 'Why; at most 1,000 characters.' }),
  }),
});

builder.mutationField('runRate', (t) =>
  t.field({
    type: RunPayload,
    description:
      'Rates a run that has ended; each caller has one rating of a run, the last they gave. Needs run:start.',
    args: { input: t.arg({ type: RunRateInput, description: 'The rating.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        caller,
        await rateRun(deps, caller, {
          runId: fromGlobalId('Run', input.runId),
          rating: input.rating,
          reason: input.reason ?? null,
        }),
      ),
  }),
);
