import { GraphQLError } from 'graphql';
import { callerScope, organizationScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import type { Room } from '../deps.ts';
import { RunErrorType, RunUsageType } from '../runs/run-parts.graphql.ts';
import type { RunError, RunUsage } from '../runs/run.ts';
import { isVisitor } from '../runs/visitor.ts';
import { runById } from '../runs/runs.store.ts';
import { endable, followRun } from './follow-run.ts';
import { eventFor } from './for-visitor.ts';
import type { EventKind, RunEvent } from './run-event.ts';

export const RunEventInterface = builder.interfaceRef<RunEvent>('RunEvent').implement({
  description:
    "One event of a run, in AG-UI's vocabulary. `seq` starts at 1 and has no holes; a hole the server cannot fill is said with RunEventsGap.",
  resolveType: (event) => event.kind,
  fields: (t) => ({
    runId: t.id({ description: 'Of which run.', resolve: ({ runId }) => toGlobalId('Run', runId) }),
    seq: t.exposeInt('seq', { description: 'Its place in the run.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

/** As the retrieval component of a flow gives it. */
interface Citation {
  readonly documentId: string;
  readonly documentName: string;
  readonly chunkId: string;
  readonly text: string;
  readonly score: number;
  readonly page: number | null;
}

const text = (event: RunEvent, name: string): string => {
  const value = event.payload[name];
  return typeof value === 'string' ? value : '';
};
const chargeOf = (event: RunEvent, _args: object, { caller }: { readonly caller: Caller }): bigint | null =>
  typeof event.payload['charge'] === 'string' && !isVisitor(caller) ? BigInt(event.payload['charge']) : null;

/** Defines one event type whose extra fields are strings of the payload. */
function plainEvent(
  kind: EventKind,
  description: string,
  fields: Readonly<Record<string, { description: string; id?: true }>>,
): void {
  builder.objectRef<RunEvent>(kind).implement({
    description,
    interfaces: [RunEventInterface],
    isTypeOf: (event) => (event as RunEvent).kind === kind,
    fields: (t) =>
      Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [
          name,
          field.id
            ? t.id({ description: field.description, resolve: (event) => text(event, name) })
            : t.string({ description: field.description, resolve: (event) => text(event, name) }),
        ]),
      ),
  });
}

const messageId = {
  messageId: { description: 'The message; the same in its start, content and end.', id: true },
} as const;
const toolCallId = {
  toolCallId: { description: 'The tool call; the same in all its events.', id: true },
} as const;

plainEvent('StepStarted', 'A step of the flow began.', { step: { description: 'Its name.' } });
plainEvent('StepFinished', 'A step of the flow ended.', { step: { description: 'Its name.' } });
plainEvent('TextMessageStart', 'A message of the agent begins.', {
  ...messageId,
  role: { description: 'Who speaks; assistant.' },
});
plainEvent('TextMessageContent', 'More text of a message.', {
  ...messageId,
  delta: { description: 'Text to append.' },
});
plainEvent('TextMessageEnd', 'A message is complete.', messageId);
plainEvent('ToolCallStart', 'The agent calls a tool.', {
  ...toolCallId,
  toolName: { description: 'Which tool; to a visitor of the widget without its connector.' },
});
plainEvent('ToolCallArgs', 'Arguments of a tool call.', {
  ...toolCallId,
  delta: { description: 'JSON text to append; to a visitor of the widget no more than its beginning.' },
});
plainEvent('ToolCallEnd', 'The arguments are complete.', toolCallId);
plainEvent(
  'RunEventWithheld',
  'An event that is not for this caller, a visitor of the widget: a step of the flow, or of a tool where the site does not show them. It only keeps its place.',
  {},
);

builder.objectRef<RunEvent>('RunStarted').implement({
  description: 'A runner took the run.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'RunStarted',
  fields: (t) => ({
    conversationId: t.id({
      description: 'The conversation it belongs to.',
      resolve: (event) => toGlobalId('Conversation', text(event, 'conversationId')),
    }),
  }),
});
builder.objectRef<RunEvent>('ToolCallResult').implement({
  description: 'What a tool answered.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'ToolCallResult',
  fields: (t) => ({
    toolCallId: t.id({ description: 'The tool call.', resolve: (event) => text(event, 'toolCallId') }),
    content: t.string({
      description: 'The answer as text; to a visitor of the widget no more than its beginning.',
      resolve: (event) => text(event, 'content'),
    }),
    isError: t.boolean({
      description: 'Whether the tool failed.',
      resolve: (event) => event.payload['isError'] === true,
    }),
  }),
});
builder.objectRef<RunEvent>('RunFinished').implement({
  description: 'The run succeeded; nothing follows.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'RunFinished',
  fields: (t) => ({
    output: t.string({
      nullable: true,
      description: 'The whole answer.',
      resolve: (event) => (typeof event.payload['output'] === 'string' ? event.payload['output'] : null),
    }),
    usage: t.field({
      type: RunUsageType,
      nullable: true,
      description: 'What was used. Null for a visitor of the widget.',
      resolve: (event, _args, { caller }) =>
        isVisitor(caller) ? null : ((event.payload['usage'] as RunUsage | undefined) ?? null),
    }),
    charge: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'What it was charged. Null for a visitor of the widget.',
      resolve: chargeOf,
    }),
  }),
});
builder.objectRef<RunEvent>('RunFailed').implement({
  description: 'The run failed; nothing follows.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'RunFailed',
  fields: (t) => ({
    error: t.field({
      type: RunErrorType,
      description: 'Why.',
      resolve: (event) => event.payload['error'] as RunError,
    }),
    charge: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'What it was charged. Null for a visitor of the widget.',
      resolve: chargeOf,
    }),
  }),
});
builder.objectRef<RunEvent>('RunCancelled').implement({
  description: 'The run was cancelled; nothing follows.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'RunCancelled',
  fields: (t) => ({
    charge: t.field({
      type: 'MicroCredits',
      nullable: true,
      description: 'What it was charged. Null for a visitor of the widget.',
      resolve: chargeOf,
    }),
  }),
});
builder.objectRef<RunEvent>('RunEventsGap').implement({
  description: 'Events that are no longer kept.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'RunEventsGap',
  fields: (t) => ({
    fromSeq: t.int({
      description: 'First that is missing.',
      resolve: (event) => Number(event.payload['fromSeq']),
    }),
    toSeq: t.int({
      description: 'Last that is missing; also the seq of this event.',
      resolve: (event) => Number(event.payload['toSeq']),
    }),
    reason: t.string({
      description: 'EXPIRED: older than the store keeps events.',
      resolve: (event) => text(event, 'reason'),
    }),
  }),
});

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
builder.objectRef<RunEvent>('CitationAdded').implement({
  description: 'A message rests on a piece of a document.',
  interfaces: [RunEventInterface],
  isTypeOf: (event) => (event as RunEvent).kind === 'CitationAdded',
  fields: (t) => ({
    messageId: t.id({ description: 'The message.', resolve: (event) => text(event, 'messageId') }),
    citation: t.field({
      type: CitationType,
      description: 'The piece.',
      resolve: (event) => event.payload['citation'] as Citation,
    }),
  }),
});

builder.subscriptionField('runEvents', (t) =>
  t.field({
    type: RunEventInterface,
    description:
      'Replays every event after `after`, then follows until the terminal event, then completes. Safe to reopen with the last seen seq. Needs run:read.',
    args: {
      runId: t.arg.id({ description: 'Which run.' }),
      after: t.arg.int({ required: false, defaultValue: 0, description: 'The last seq already seen.' }),
    },
    subscribe: (_root, { runId, after }, { deps, caller, request }) =>
      subscribeRun(deps, caller, { runId, after: after ?? 0, signal: request.signal }),
    resolve: (event, _args, { caller }) => eventFor(caller, event),
  }),
);

/** Checks the caller before the first event: a run of another organization does not exist for them. */
async function subscribeRun(
  deps: Room,
  caller: Caller,
  input: { runId: string; after: number; signal: AbortSignal },
): Promise<AsyncGenerator<RunEvent, void, void>> {
  if (input.after < 0)
    throw new GraphQLError('after must not be negative.', { extensions: { code: 'BAD_USER_INPUT' } });
  const runId = fromGlobalId('Run', input.runId);
  const lookup = callerScope(caller, 'run:read');
  const run = runId && (await deps.db.transaction(lookup, (tx) => runById(tx, runId)));
  const scope = run && organizationScope(caller, run.organizationId, 'run:read');
  if (!run || !scope) throw new GraphQLError('There is no such run.', { extensions: { code: 'NOT_FOUND' } });
  return endable((ended) =>
    followRun(deps, scope, {
      runId: run.id,
      after: input.after,
      headSeq: run.lastSeq,
      signal: AbortSignal.any([input.signal, ended]),
    }),
  );
}
