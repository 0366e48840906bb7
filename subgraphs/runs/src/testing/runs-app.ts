import { afterAll } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import type { Caller } from '@agentstore/kernel/caller';
import { generateInternalKey } from '@agentstore/kernel/auth/internal-token';
import { runTokenSigner, runTokenVerifier } from '@agentstore/kernel/auth/run-token';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { serviceCaller, testTrust, userCaller } from '@agentstore/kernel/testing/callers';
import { openTestDatabase, type TestDatabase } from '@agentstore/kernel/testing/database';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import type { InstanceFacts } from '../runs/run.ts';
import { createBilling, createControlPlane } from './neighbours.ts';

/** An event as a client of `runEvents` gets it. */
export interface SeenEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

export interface GraphAnswer {
  readonly data?: Readonly<Record<string, never>> | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

const toolsOrigin = 'http://tools.test';

/** The runs subgraph on a database of the test file's own, beside a small control plane and a small billing, started. */
export async function startRunsApp(more: Partial<Deps> = {}) {
  const made: TestDatabase & { database: Deps['db'] } = await openTestDatabase('runs');
  const trust = await testTrust('runs');
  const runKey = await generateInternalKey('runs');
  const controlPlane = createControlPlane();
  const billing = createBilling();
  const deps: Deps = {
    db: made.database,
    authenticate: trust.authenticate,
    log: silentLog,
    controlPlane: createServiceClient({
      name: 'control-plane',
      baseUrl: 'http://cp',
      send: controlPlane.fetch,
    }),
    billing: createServiceClient({ name: 'billing', baseUrl: 'http://billing', send: billing.fetch }),
    signRunToken: await runTokenSigner(runKey.privateJwk, toolsOrigin),
    eventDays: 30,
    maxInputCharacters: 1_000,
    subscriberQueue: { events: 256, bytes: 1_048_576 },
    sweepEveryMs: 200,
    abandonedAfterMs: 30_000,
    ...more,
  };
  const app: App = createApp(deps);
  await app.start();
  afterAll(() => app.stop());

  const token = async (): Promise<string> =>
    (await trust.bearer(serviceCaller('run:execute'))).slice('Bearer '.length);
  const service: ServiceClient = createServiceClient({
    name: 'runs',
    baseUrl: 'http://runs',
    send: app.fetch,
    token,
  });

  const request = async (
    caller: Caller,
    body: object,
    accept: string,
    signal?: AbortSignal,
    of: App = app,
  ): Promise<Response> =>
    of.fetch(
      new Request('http://runs/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, authorization: await trust.bearer(caller) },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      }),
    );

  return {
    ...made,
    app,
    deps,
    controlPlane,
    billing,
    service,
    /** Of a service that may execute runs. */
    token,
    /** As the tool gateway reads run tokens. */
    verifyRunToken: runTokenVerifier(runKey.jwks, toolsOrigin),
    async graph(caller: Caller, query: string, variables: object = {}): Promise<GraphAnswer> {
      return (await request(caller, { query, variables }, 'application/json')).json() as Promise<GraphAnswer>;
    },
    /** Starts a run of the instance for a member; answers the payload. */
    async start(
      facts: InstanceFacts,
      more: Readonly<Record<string, unknown>> = {},
      caller: Caller = member(facts),
    ) {
      const input = {
        instanceId: toGlobalId('Instance', facts.instanceId),
        input: 'hello',
        idempotencyKey: uuidv7(),
        ...more,
      };
      const answer = await this.graph(caller, startMutation, { input });
      if (answer.errors) throw new Error(JSON.stringify(answer.errors));
      return answer.data!['runStart'] as unknown as StartPayload;
    },
    /** Ends a run as its owner: decides, then finishes. */
    async finish(
      { runId, fence }: { runId: string; fence: number },
      more: Readonly<Record<string, unknown>> = {},
      charge = '3',
    ): Promise<void> {
      const ending = { state: 'SUCCEEDED', output: 'done', usage: null, error: null, billed: [], ...more };
      await service.call('POST', `/internal/runs/${runId}/ending`, { fence, ...ending });
      await service.call('POST', `/internal/runs/${runId}/finish`, { fence, charge });
    },
    /** Opens `runEvents`, of this app unless another process is said; events as they come until the server completes or the signal aborts. */
    async *events(
      caller: Caller,
      runId: string,
      after: number,
      signal?: AbortSignal,
      of?: App,
    ): AsyncGenerator<SeenEvent, void, void> {
      const body = { query: eventsSubscription, variables: { runId, after } };
      const answer = await request(caller, body, 'text/event-stream', signal, of);
      yield* readSse(answer, signal);
    },
  };
}

export type RunsApp = Awaited<ReturnType<typeof startRunsApp>>;

interface StartPayload {
  readonly run: { id: string; state: string } | null;
  readonly required: string | null;
  readonly available: string | null;
  readonly missing: string | null;
  readonly errors: readonly { code: string; message: string; field: string | null }[];
}

/** A member of the instance's organization. */
export const member = (facts: { organizationId: Uuid }): Caller =>
  userCaller([{ organizationId: facts.organizationId, role: 'MEMBER' }]);

const startMutation = `mutation ($input: RunStartInput!) { runStart(input: $input) {
  run { id state } required available missing errors { code message field } } }`;

/** A selection of the fields of events. */
export const eventFields = `__typename runId seq at
  ... on RunStarted { conversationId } ... on StepStarted { step } ... on TextMessageContent { messageId delta }
  ... on ToolCallStart { toolCallId toolName } ... on ToolCallArgs { toolCallId delta } ... on ToolCallEnd { toolCallId }
  ... on ToolCallResult { toolCallId content isError } ... on CitationAdded { citation { documentName } }
  ... on RunFinished { output charge usage { status models { provider model inputTokens outputTokens } } }
  ... on RunFailed { error { code message retryable } charge } ... on RunCancelled { charge }
  ... on RunEventsGap { fromSeq toSeq reason }`;
const eventsSubscription = `subscription ($runId: ID!, $after: Int) { runEvents(runId: $runId, after: $after) { ${eventFields} } }`;

/** What the subgraph writes: `event: next`, one `data:` line, a blank line. */
async function* readSse(answer: Response, signal?: AbortSignal): AsyncGenerator<SeenEvent, void, void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', cancel);
  try {
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (text + value).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const data = /^event: next\ndata: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const { data: seen, errors } = JSON.parse(data) as {
          data?: { runEvents: SeenEvent };
          errors?: object[];
        };
        if (errors) throw new Error(JSON.stringify(errors));
        yield seen!.runEvents;
      }
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    await reader.cancel().catch(() => undefined);
  }
}
