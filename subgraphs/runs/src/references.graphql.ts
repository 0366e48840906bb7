import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder, connection } from './builder.ts';
import { conversationsByIds, type Conversation } from './conversations/conversations.store.ts';
import { rowLoader } from './load-rows.ts';
import type { Run } from './runs/run.ts';
import { runsByIds } from './runs/runs.store.ts';

/** The entities of this subgraph by name, so that their files may point at each other; each is implemented in its noun's folder. */
export const RunRef = builder.objectRef<Run>('Run');
export const ConversationRef = builder.objectRef<Conversation>('Conversation');
/** Control-plane's; known by its id alone. */
export const InstanceRef = builder.objectRef<{ id: string }>('Instance');
export const RunConnection = connection('Run', RunRef);
export const ConversationConnection = connection('Conversation', ConversationRef);

/** A run, or a conversation, that the caller may read; null when there is none for them. */
export const loadRun = rowLoader(runsByIds);
export const loadConversation = rowLoader(conversationsByIds);

builder.asEntity(RunRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => loadRun(context, fromGlobalId('Run', id)),
});
builder.asEntity(ConversationRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => loadConversation(context, fromGlobalId('Conversation', id)),
});
builder.asEntity(InstanceRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});
