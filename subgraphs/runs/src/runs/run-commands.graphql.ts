import type { Caller } from '@agentstore/kernel/caller';
import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Outcome } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { RunRef } from '../references.graphql.ts';
import { cancelRun } from './cancel-run.ts';
import { runRefusalCodes, type Run, type RunRefusal } from './run.ts';
import { startRun } from './start-run.ts';
import { isVisitor, refusalForVisitor } from './visitor.ts';

const RunCommandError = refusalType(builder, 'RunCommand', runRefusalCodes);

interface Payload {
  readonly run: Run | null;
  readonly errors: readonly RunRefusal[];
}

/** What became of a command, in the words that its caller may hear. */
export const payloadOf = (caller: Caller, outcome: Outcome<Run, RunRefusal>): Payload =>
  outcome.ok
    ? { run: outcome.value, errors: [] }
    : { run: null, errors: [isVisitor(caller) ? refusalForVisitor(outcome.error) : outcome.error] };

const shortage =
  (name: 'required' | 'available' | 'missing') =>
  ({ errors }: Payload) =>
    errors[0]?.[name] ?? null;

const RunStartPayload = builder.objectRef<Payload>('RunStartPayload').implement({
  description: 'What became of a run to start.',
  fields: (t) => ({
    run: t.expose('run', { type: RunRef, nullable: true, description: 'The run; null when it was refused.' }),
    required: t.field({
      type: 'MicroCredits',
      nullable: true,
      description:
        'With INSUFFICIENT_CREDITS and MAX_CHARGE_TOO_LOW: what the run would have reserved. Null for a visitor.',
      resolve: shortage('required'),
    }),
    available: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'With INSUFFICIENT_CREDITS: what the wallet has available. Null for a visitor.',
      resolve: shortage('available'),
    }),
    missing: t.field({
      type: 'MicroCredits',
      nullable: true,
      description:
        'With INSUFFICIENT_CREDITS: what a top-up must bring, which pays a debt first. Null for a visitor.',
      resolve: shortage('missing'),
    }),
    errors: t.field({
      type: [RunCommandError],
      description: 'Why it was refused; empty when it was not.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

export const RunPayload = builder.objectRef<Payload>('RunPayload').implement({
  description: 'What became of a command on a run.',
  fields: (t) => ({
    run: t.expose('run', { type: RunRef, nullable: true, description: 'The run; null when it was refused.' }),
    errors: t.field({
      type: [RunCommandError],
      description: 'Why it was refused; empty when it was not.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const RunStartInput = builder.inputType('RunStartInput', {
  description: 'A run to start.',
  fields: (t) => ({
    instanceId: t.id({ description: 'Which instance.' }),
    input: t.string({ description: 'What to ask.' }),
    conversationId: t.id({
      required: false,
      description: 'Goes on with this conversation; a new one is opened unless said.',
    }),
    idempotencyKey: t.string({
      description:
        'Chosen by the client, 1 to 200 printable ASCII characters; the same key starts one run, however often it is sent.',
    }),
    maxCharge: t.field({
      type: 'MicroCredits',
      required: false,
      description:
        'The run is never charged more than this: it is stopped when it has used more. Not less than what it reserves. Not for visitors.',
    }),
  }),
});

builder.mutationField('runStart', (t) =>
  t.field({
    type: RunStartPayload,
    description:
      'Reserves credits and queues a run; follow it with runEvents. Needs run:start. A visitor of the widget may start on the instance of their session, up to their cap.',
    args: { input: t.arg({ type: RunStartInput, description: 'The run.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const outcome = await startRun(deps, caller, {
        instanceId: fromGlobalId('Instance', input.instanceId),
        input: input.input,
        conversationId: input.conversationId
          ? (fromGlobalId('Conversation', input.conversationId) ?? null)
          : undefined,
        idempotencyKey: input.idempotencyKey,
        maxCharge: input.maxCharge ?? undefined,
      });
      return payloadOf(caller, outcome);
    },
  }),
);

const RunCancelInput = builder.inputType('RunCancelInput', {
  description: 'A run to cancel.',
  fields: (t) => ({ runId: t.id({ description: 'Which run.' }) }),
});

builder.mutationField('runCancel', (t) =>
  t.field({
    type: RunPayload,
    description:
      'Asks a run to stop; it ends CANCELLED, charged for what it used, unless it ended before. A run that has ended stays as it is. Needs run:cancel.',
    args: { input: t.arg({ type: RunCancelInput, description: 'Which run.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const outcome = await cancelRun(deps, caller, fromGlobalId('Run', input.runId));
      return payloadOf(caller, outcome);
    },
  }),
);
