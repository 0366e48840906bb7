import { AccessError, callerScope, requireCaller } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { pageOf, pageRequest, type Page, type PageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, toGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import type { Room } from '../deps.ts';
import {
  ConversationConnection,
  ConversationRef,
  InstanceRef,
  RunConnection,
  loadConversation,
} from '../references.graphql.ts';
import { runsOfConversation, runsOfInstance } from '../runs/runs.store.ts';
import { isVisitor } from '../runs/visitor.ts';
import { conversationsOf, conversationsOfVisitor } from './conversations.store.ts';
import { messagesOf, type Message } from './message.ts';

interface Context {
  readonly deps: Room;
  readonly caller: Caller;
}
type PageArgs = Parameters<typeof pageRequest>[0];

/** A page of rows under a parent, in the caller's scope. */
async function readPage<Row extends { readonly id: Uuid }>(
  { deps, caller }: Context,
  args: PageArgs,
  read: (tx: Tx, page: PageRequest) => Promise<Row[]>,
): Promise<Page<Row>> {
  const page = pageRequest(args);
  const rows = await deps.db.transaction(callerScope(caller, 'run:read'), (tx) => read(tx, page));
  return pageOf(rows, page, (row) => row.id);
}

/** The same under an instance, of which a visitor knows no more than its id. */
async function readPageOfInstance<Row extends { readonly id: Uuid }>(
  context: Context,
  id: string,
  args: PageArgs,
  read: (tx: Tx, instanceId: Uuid, page: PageRequest) => Promise<Row[]>,
): Promise<Page<Row>> {
  if (isVisitor(context.caller))
    throw new AccessError('FORBIDDEN', 'A visitor reads visitorConversations instead.');
  const instanceId = fromGlobalId('Instance', id);
  return readPage(context, args, async (tx, page) => (instanceId ? read(tx, instanceId, page) : []));
}

const MessageRoleEnum = builder.enumType('MessageRole', {
  description: 'Who said it.',
  values: {
    USER: { description: 'The one who asked.' },
    ASSISTANT: { description: 'The agent.' },
  } as const,
});

const MessageType = builder.objectRef<Message>('Message').implement({
  description: 'What was said in a conversation.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    role: t.expose('role', { type: MessageRoleEnum, description: 'Who said it.' }),
    content: t.exposeString('content', { description: 'The text.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
});
const MessageConnection = connection('Message', MessageType);

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
      resolve: ({ id }, args, context) =>
        readPage(context, args, (tx, page) => runsOfConversation(tx, id, page)),
    }),
    messages: t.field({
      type: MessageConnection,
      description: 'What was said, newest run first; within a run the question before the answer.',
      args: {
        first: t.arg.int({
          required: false,
          description: 'How many runs to take the messages of, 1 to 100; 20 unless said.',
        }),
        after: t.arg.string({ required: false, description: 'Cursor of the message before.' }),
      },
      resolve: async ({ id }, args, context) => {
        const runs = await readPage(context, args, (tx, page) => runsOfConversation(tx, id, page));
        const edges = runs.edges.flatMap(({ node, cursor }) =>
          messagesOf(node).map((message) => ({ node: message, cursor })),
        );
        return { ...runs, edges };
      },
    }),
  }),
});

InstanceRef.implement({
  description: "One organization's running copy of an offering version.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    runs: t.field({
      type: RunConnection,
      description: 'Its runs, newest first. Needs run:read.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: ({ id }, args, context) => readPageOfInstance(context, id, args, runsOfInstance),
    }),
    conversations: t.field({
      type: ConversationConnection,
      description: 'Its conversations, newest first. Needs run:read.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      },
      resolve: ({ id }, args, context) => readPageOfInstance(context, id, args, conversationsOf),
    }),
  }),
});

builder.queryField('conversation', (t) =>
  t.field({
    type: ConversationRef,
    nullable: true,
    description: 'One conversation; null when there is none for the caller. Needs run:read.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, context) => loadConversation(context, fromGlobalId('Conversation', id)),
  }),
);

builder.queryField('visitorConversations', (t) =>
  t.field({
    type: ConversationConnection,
    description:
      "The visitor's own conversations with the instance of their session, newest first. FORBIDDEN for everybody but visitors of the widget.",
    args: {
      first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
    },
    resolve: (_root, args, context) => {
      const { caller } = context;
      requireCaller(caller);
      if (caller.kind !== 'WIDGET_SESSION')
        throw new AccessError('FORBIDDEN', 'This is for visitors of the widget.');
      return readPage(context, args, (tx, page) => conversationsOfVisitor(tx, caller, page));
    },
  }),
);
