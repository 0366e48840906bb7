import { createSchema, createYoga, Repeater } from 'graphql-yoga';
import { GraphQLError } from 'graphql';
import { expect } from 'vitest';
import { withReadiness } from './readiness.ts';

/** As much of the graph as the REST routes ask for. */
export const runsSdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])
  scalar DateTime
  scalar MicroCredits
  type Refusal { code: String! message: String! field: String }
  type Named { id: ID! slug: String! name: String! }
  type Endpoint { path: String! }
  type Instance { id: ID! name: String! state: String! endpoint: Endpoint }
  type RunError { code: String! message: String! retryable: Boolean! }
  type ModelUsage { provider: String model: String inputTokens: Int outputTokens: Int totalTokens: Int }
  type RunUsage { status: String! toolCalls: Int! durationMs: Int! models: [ModelUsage!]! }
  type Run { id: ID! state: String! input: String! output: String charge: MicroCredits lastSeq: Int! error: RunError usage: RunUsage requestedAt: DateTime startedAt: DateTime finishedAt: DateTime }
  type WorkspacePayload { organization: Named project: Named errors: [Refusal!]! }
  type InstancePayload { instance: Instance errors: [Refusal!]! }
  type RunStartPayload { run: Run required: MicroCredits available: MicroCredits missing: MicroCredits errors: [Refusal!]! }
  type RunPayload { run: Run errors: [Refusal!]! }
  input WorkspaceAutoInput { name: String }
  input InstanceAutoActivateInput { projectId: ID! offeringSlug: String! idempotencyKey: String! }
  input RunStartInput { instanceId: ID! input: String! conversationId: ID maxCharge: MicroCredits idempotencyKey: String! }
  input RunCancelInput { runId: ID! }
  type Citation { documentId: ID documentName: String chunkId: ID text: String score: Float page: Int }
  interface RunEvent { runId: ID! seq: Int! at: DateTime! }
  ${[
    'RunStarted: conversationId: ID',
    'StepStarted: step: String',
    'StepFinished: step: String',
    'TextMessageStart: messageId: ID role: String',
    'TextMessageContent: messageId: ID delta: String',
    'TextMessageEnd: messageId: ID',
    'ToolCallStart: toolCallId: ID toolName: String',
    'ToolCallArgs: toolCallId: ID delta: String',
    'ToolCallEnd: toolCallId: ID',
    'ToolCallResult: toolCallId: ID content: String isError: Boolean',
    'CitationAdded: messageId: ID citation: Citation',
    'RunFinished: output: String charge: MicroCredits usage: RunUsage',
    'RunFailed: error: RunError charge: MicroCredits',
    'RunCancelled: charge: MicroCredits',
    'RunEventsGap: fromSeq: Int toSeq: Int reason: String',
  ]
    .map((line) => {
      const [name, ...fields] = line.split(': ');
      return `type ${name} implements RunEvent { runId: ID! seq: Int! at: DateTime! ${fields.join(': ')} }`;
    })
    .join('\n')}
  type Query { run(id: ID!): Run }
  type Mutation {
    workspaceAuto(input: WorkspaceAutoInput!): WorkspacePayload!
    instanceAutoActivate(input: InstanceAutoActivateInput!): InstancePayload!
    runStart(input: RunStartInput!): RunStartPayload!
    runCancel(input: RunCancelInput!): RunPayload!
  }
  type Subscription { runEvents(runId: ID!, after: Int = 0): RunEvent! }
`;

const refusal = (code: string, more: object = {}) => ({
  ...more,
  errors: [{ code, message: `refused: ${code}`, field: null }],
});
const runOf = (id: string, input: string, state = 'SUCCEEDED') => ({
  id,
  state,
  input,
  output: `echo ${input}`,
  charge: '1500',
  lastSeq: 3,
});

const unavailable = (): GraphQLError => new GraphQLError('away', { extensions: { code: 'UNAVAILABLE' } });

/**
 * A runs subgraph that does as the input says: `refuse CODE`, `throw CODE`, or a run of three events. Runs are named by their key: the events of `refused…`
 * cannot be had, those of `lost…` break off, those of `quiet…` never come, and who billed `unbilled…` is away.
 */
export function createRuns() {
  const started: Record<string, unknown>[] = [];
  let following = 0;
  const yoga = createYoga({
    graphqlEndpoint: '/graphql',
    logging: false,
    schema: createSchema({
      typeDefs: runsSdl.replace(/extend schema.*/, ''),
      resolvers: {
        Run: {
          charge: ({ id, charge }: { id: string; charge: string }) => {
            if (id.startsWith('unbilled')) throw unavailable();
            return charge;
          },
        },
        RunEvent: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
        Query: {
          run: (_root: unknown, { id }: { id: string }) => (id === 'none' ? null : runOf(id, 'read')),
        },
        Mutation: {
          workspaceAuto: () => ({
            organization: { id: 'o1', slug: 'o', name: 'O' },
            project: { id: 'p1', slug: 'p', name: 'P' },
            errors: [],
          }),
          instanceAutoActivate: (_root: unknown, { input }: { input: { projectId: string } }) =>
            input.projectId === 'none'
              ? refusal('PROJECT_NOT_FOUND')
              : { instance: { id: 'i1', name: 'I', state: 'REQUESTED' }, errors: [] },
          runStart: (_root: unknown, { input }: { input: { input: string; idempotencyKey: string } }) => {
            started.push(input);
            const [verb, code] = input.input.split(' ');
            if (verb === 'throw') throw new GraphQLError('thrown', { extensions: { code } });
            if (verb === 'refuse')
              return refusal(
                code!,
                code === 'INSUFFICIENT_CREDITS' ? { required: '9', available: '2', missing: '7' } : {},
              );
            return { run: runOf(input.idempotencyKey, input.input, 'QUEUED'), errors: [] };
          },
          runCancel: (_root: unknown, { input }: { input: { runId: string } }) =>
            input.runId === 'none'
              ? refusal('RUN_NOT_FOUND')
              : { run: runOf(input.runId, '', 'CANCELLING'), errors: [] },
        },
        Subscription: {
          runEvents: {
            subscribe(_root: unknown, { runId, after }: { runId: string; after: number }) {
              if (runId === 'none')
                throw new GraphQLError('no such run', { extensions: { code: 'NOT_FOUND' } });
              if (runId.startsWith('refused')) throw unavailable();
              return new Repeater(async (push, stop) => {
                following += 1;
                void stop.then(() => (following -= 1));
                if (runId.startsWith('quiet')) return stop;
                const kinds = ['RunStarted', 'TextMessageContent', 'RunFinished'];
                for (let seq = after + 1; seq <= kinds.length; seq++) {
                  if (seq === 2 && runId.startsWith('lost')) throw unavailable();
                  await push({
                    runEvents: {
                      __typename: kinds[seq - 1],
                      runId,
                      seq,
                      at: 'now',
                      delta: 'Hi',
                      output: 'Hi',
                    },
                  });
                }
                stop();
              });
            },
          },
        },
      },
    }),
  });
  return {
    sdl: runsSdl,
    started,
    /** Waits until so many follow runs' events. */
    async waitFor(count: number): Promise<void> {
      await expect.poll(() => following).toBe(count);
    },
    fetch: withReadiness(async (request) => yoga.fetch(request, {})),
  };
}
