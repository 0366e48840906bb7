import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId, toGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import {
  conversationById,
  conversationsOf,
  type Conversation,
} from '../conversations/conversations.store.ts';
import type { Room } from '../deps.ts';
import { RunEventInterface } from '../events/run-event.graphql.ts';
import { eventsAfter } from '../events/run-events.store.ts';
import { RunErrorType, RunStateEnum, RunUsageType } from './run-parts.graphql.ts';
import type { Run, RunRefusal } from './run.ts';
import { requestCancel, runById, runsOf } from './runs.store.ts';
import { startRun } from './start-run.ts';

const RunRef = builder.objectRef<Run>('Run');
const ConversationRef = builder.objectRef<Conversation>('Conversation');
const InstanceRef = builder.objectRef<{ id: string }>('Instance');
const RunConnection = connection('Run', RunRef);
const ConversationConnection = connection('Conversation', ConversationRef);

async function readRun(deps: Room, caller: Caller, id: Uuid | undefined): Promise<Run | null> {
  return id
    ? ((await deps.db.transaction(callerScope(caller, 'run:read'), (tx) => runById(tx, id))) ?? null)
    : null;
}
async function readConversation(
  deps: Room,
  caller: Caller,
  id: Uuid | undefined,
): Promise<Conversation | null> {
  return id
    ? ((await deps.db.transaction(callerScope(caller, 'run:read'), (tx) => conversationById(tx, id))) ?? null)
    : null;
}

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
      resolve: async ({ conversationId }, _args, { deps, caller }) =>
        (await readConversation(deps, caller, conversationId))!,
    }),
    state: t.expose('state', { type: RunStateEnum, description: 'Where it stands.' }),
    input: t.exposeString('input', { description: 'What was asked.' }),
    output: t.exposeString('output', { nullable: true, description: 'The whole answer, once it succeeded.' }),
    usage: t.expose('usage', {
      type: RunUsageType,
      nullable: true,
      description: 'What it used, once it ended.',
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
      description: 'Its events, in order.',
      args: {
        after: t.arg.int({ required: false, defaultValue: 0, description: 'The last seq already seen.' }),
        first: t.arg.int({ required: false, defaultValue: 500, description: 'How many, at most 500.' }),
      },
      resolve: (run, { after, first }, { deps, caller }) =>
        deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
          eventsAfter(tx, run.id, Math.max(0, after ?? 0), Math.min(500, Math.max(1, first ?? 500))),
        ),
    }),
  }),
});
builder.asEntity(RunRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { deps, caller }) => readRun(deps, caller, fromGlobalId('Run', id)),
});

interface Message {
  readonly id: string;
  readonly role: string;
  readonly content: string;
  readonly at: Date;
}
const MessageType = builder.objectRef<Message>('Message').implement({
  description: 'What was said in a conversation.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    role: t.exposeString('role', { description: 'user or assistant.' }),
    content: t.exposeString('content', { description: 'The text.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
});
const MessageConnection = connection('Message', MessageType);
const messagesOf = (run: Run): Message[] => [
  { id: toGlobalId('Message', run.id), role: 'user', content: run.input, at: run.requestedAt },
  ...(run.output === null
    ? []
    : [
        {
          id: `${toGlobalId('Message', run.id)}.a`,
          role: 'assistant',
          content: run.output,
          at: run.finishedAt ?? run.requestedAt,
        },
      ]),
];

ConversationRef.implement({
  description: 'Runs of an instance that know of each other.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Conversation', id) }),
    instance: t.field({
      type: InstanceRef,
      description: 'With which instance.',
      resolve: ({ instanceId }) => ({ id: toGlobalId('Instance', instanceId) }),
    }),
    title: t.exposeString('title', { nullable: true, description: 'The beginning of its first input.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    runs: t.field({
      type: RunConnection,
      description: 'Its runs, newest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        return pageOf(
          await deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
            runsOf(tx, { conversationId: id }, page),
          ),
          page,
          (run) => run.id,
        );
      },
    }),
    messages: t.field({
      type: MessageConnection,
      description: 'What was said, newest run first; a page is of runs.',
      args: {
        first: t.arg.int({ required: false, description: 'How many runs, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the run before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        const runs = pageOf(
          await deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
            runsOf(tx, { conversationId: id }, page),
          ),
          page,
          (run) => run.id,
        );
        return {
          ...runs,
          edges: runs.edges.flatMap(({ node, cursor }) =>
            messagesOf(node).map((message) => ({ node: message, cursor })),
          ),
        };
      },
    }),
  }),
});
builder.asEntity(ConversationRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { deps, caller }) =>
    readConversation(deps, caller, fromGlobalId('Conversation', id)),
});

InstanceRef.implement({
  description: "One organization's running copy of an offering version.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    runs: t.field({
      type: RunConnection,
      description: 'Its runs, newest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        const instanceId = fromGlobalId('Instance', id);
        return pageOf(
          instanceId
            ? await deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
                runsOf(tx, { instanceId }, page),
              )
            : [],
          page,
          (run) => run.id,
        );
      },
    }),
    conversations: t.field({
      type: ConversationConnection,
      description: 'Its conversations, newest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: async ({ id }, args, { deps, caller }) => {
        const page = pageRequest(args);
        const instanceId = fromGlobalId('Instance', id);
        return pageOf(
          instanceId
            ? await deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
                conversationsOf(tx, instanceId, page),
              )
            : [],
          page,
          (one) => one.id,
        );
      },
    }),
  }),
});
builder.asEntity(InstanceRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

builder.queryField('run', (t) =>
  t.field({
    type: RunRef,
    nullable: true,
    description: 'One run; null when the caller does not belong there.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, caller }) => readRun(deps, caller, fromGlobalId('Run', id)),
  }),
);
builder.queryField('conversation', (t) =>
  t.field({
    type: ConversationRef,
    nullable: true,
    description: 'One conversation; null when the caller does not belong there.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, caller }) =>
      readConversation(deps, caller, fromGlobalId('Conversation', id)),
  }),
);

const RunCommandError = refusalType(builder, 'RunCommand', {
  INSTANCE_NOT_FOUND: 'No such instance, or the caller does not belong there.',
  INSTANCE_NOT_ACTIVE: 'The instance is not ACTIVE (yet, or any more).',
  INSTANCE_PAUSED: 'The instance is paused.',
  INSUFFICIENT_CREDITS: 'The wallet has too few credits available; the payload says how many are missing.',
  WALLET_FROZEN: 'An operator froze the wallet.',
  TOO_MANY_RUNS: 'As many runs as the plan allows are under way.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before for another run.',
  CONVERSATION_NOT_FOUND: 'No such conversation of this instance.',
  INVALID_INPUT: 'A value of the input is not usable.',
  RUN_NOT_FOUND: 'No such run, or the caller does not belong there.',
});
interface Payload {
  readonly run: Run | null;
  readonly errors: readonly RunRefusal[];
}
const shortage =
  (name: 'required' | 'available' | 'missing') =>
  ({ errors }: Payload) =>
    errors[0]?.[name] ?? null;
const RunStartPayload = builder.objectRef<Payload>('RunStartPayload').implement({
  description: 'What became of a run to start.',
  fields: (t) => ({
    run: t.expose('run', { type: RunRef, nullable: true, description: 'The run.' }),
    required: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'With INSUFFICIENT_CREDITS: what would be reserved.',
      resolve: shortage('required'),
    }),
    available: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'With INSUFFICIENT_CREDITS: what the wallet has.',
      resolve: shortage('available'),
    }),
    missing: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'With INSUFFICIENT_CREDITS: the difference.',
      resolve: shortage('missing'),
    }),
    errors: t.field({
      type: [RunCommandError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const RunPayload = builder.objectRef<Payload>('RunPayload').implement({
  description: 'What became of a command on a run.',
  fields: (t) => ({
    run: t.expose('run', { type: RunRef, nullable: true, description: 'The run.' }),
    errors: t.field({
      type: [RunCommandError],
      description: 'Why it was refused.',
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
      description: 'Goes on with this conversation; a new one unless said.',
    }),
    idempotencyKey: t.string({ description: 'Chosen by the client; the same key starts one run.' }),
    maxCharge: t.field({
      type: 'MicroCredits',
      required: false,
      description: 'The run is never charged more.',
    }),
  }),
});
builder.mutationField('runStart', (t) =>
  t.field({
    type: RunStartPayload,
    description: 'Reserves credits and queues a run. Needs run:start.',
    args: { input: t.arg({ type: RunStartInput, description: 'The run.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const outcome = await startRun(deps, caller, {
        instanceId: fromGlobalId('Instance', input.instanceId),
        input: input.input,
        conversationId: input.conversationId
          ? (fromGlobalId('Conversation', input.conversationId) ?? '00000000-0000-0000-0000-000000000000')
          : undefined,
        idempotencyKey: input.idempotencyKey,
        maxCharge: input.maxCharge ?? undefined,
      });
      return outcome.ok ? { run: outcome.value, errors: [] } : { run: null, errors: [outcome.error] };
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
    description: 'Asks a run to stop; a run that has ended stays as it is. Needs run:cancel.',
    args: { input: t.arg({ type: RunCancelInput, description: 'Which run.' }) },
    resolve: async (_root, { input }, { deps, caller }): Promise<Payload> => {
      const id = fromGlobalId('Run', input.runId);
      const run = id
        ? await deps.db.transaction(callerScope(caller, 'run:cancel'), (tx) => requestCancel(tx, id))
        : undefined;
      return run
        ? { run, errors: [] }
        : {
            run: null,
            errors: [{ code: 'RUN_NOT_FOUND', message: 'There is no such run.', field: 'runId' }],
          };
    },
  }),
);
