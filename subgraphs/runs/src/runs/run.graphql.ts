import { callerScope } from '@agentstore/kernel/access';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { eventFor } from '../events/for-visitor.ts';
import { RunEventInterface } from '../events/run-event.graphql.ts';
import { withoutHoles } from '../events/run-event.ts';
import { eventsAfter } from '../events/run-events.store.ts';
import { InstanceRef, ConversationRef, RunRef, loadConversation, loadRun } from '../references.graphql.ts';
import { RunErrorType, RunStateEnum, RunUsageType } from './run-parts.graphql.ts';
import { isVisitor } from './visitor.ts';

RunRef.implement({
  description: 'One execution of an instance.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Run', id) }),
    instance: t.field({
      type: InstanceRef,
      description: 'Of which instance.',
      resolve: ({ instanceId }) => ({ id: toGlobalId('Instance', instanceId) }),
    }),
    conversation: t.field({
      type: ConversationRef,
      description: 'The conversation it belongs to.',
      resolve: async ({ conversationId }, _args, context) =>
        (await loadConversation(context, conversationId))!,
    }),
    state: t.expose('state', { type: RunStateEnum, description: 'Where it stands.' }),
    input: t.exposeString('input', { description: 'What was asked.' }),
    output: t.exposeString('output', { nullable: true, description: 'The whole answer, once it succeeded.' }),
    usage: t.field({
      type: RunUsageType,
      nullable: true,
      description: 'What it used, once it ended. Null for a visitor of the widget.',
      resolve: ({ usage }, _args, { caller }) => (isVisitor(caller) ? null : usage),
    }),
    error: t.expose('error', { type: RunErrorType, nullable: true, description: 'Why it failed.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a runner took it.',
    }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    lastSeq: t.exposeInt('lastSeq', { description: 'The seq of its newest event.' }),
    events: t.field({
      type: [RunEventInterface],
      description: 'Its events so far, in order; a hole is said with RunEventsGap.',
      args: {
        after: t.arg.int({ required: false, defaultValue: 0, description: 'The last seq already seen.' }),
        first: t.arg.int({ required: false, defaultValue: 500, description: 'How many, at most 500.' }),
      },
      resolve: async (run, { after, first }, { deps, caller }) => {
        const last = Math.max(0, after ?? 0);
        const limit = Math.min(500, Math.max(1, first ?? 500));
        const events = await deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
          eventsAfter(tx, run.id, last, limit),
        );
        return [...withoutHoles(run, last, { events, whole: events.length < limit })]
          .slice(0, limit)
          .map((event) => eventFor(caller, event));
      },
    }),
  }),
});

builder.queryField('run', (t) =>
  t.field({
    type: RunRef,
    nullable: true,
    description: 'One run; null when there is none for the caller. Needs run:read.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, context) => loadRun(context, fromGlobalId('Run', id)),
  }),
);
