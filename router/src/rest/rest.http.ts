import { parse } from 'graphql';
import { z } from 'zod';
import { AccessError } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Deps } from '../deps.ts';
import type { Engine } from '../execution/engine.ts';
import { operationContext, type OperationContext } from '../execution/operation-context.ts';
import type { Identifier } from '../identity/identify.ts';
import type { AppliedRoutes } from '../policy/applied-routes.ts';
import type { Subscriber } from '../subscriptions/subscribe.ts';
import { openApi } from './openapi.ts';

interface Parts {
  readonly deps: Deps;
  readonly engine: Engine;
  readonly subscribe: Subscriber;
  readonly identifier: Identifier;
  readonly routes: AppliedRoutes;
}
type Refusals = { errors: { code: string; message: string; field: string | null }[] };

const documents = {
  workspace: parse(
    `mutation { workspaceAuto(input: {}) { organization { id slug name } project { id slug name } errors { code message field } } }`,
  ),
  activate: parse(
    `mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id name state endpoint { path } } errors { code message field } } }`,
  ),
  start: parse(
    `mutation ($input: RunStartInput!) { runStart(input: $input) { run { id state } required available missing errors { code message field } } }`,
  ),
  cancel: parse(
    `mutation ($input: RunCancelInput!) { runCancel(input: $input) { run { id state } errors { code message field } } }`,
  ),
  read: parse(
    `query ($id: ID!) { run(id: $id) { id state input output charge lastSeq error { code message retryable } usage { status toolCalls durationMs models { provider model inputTokens outputTokens totalTokens } } requestedAt startedAt finishedAt } }`,
  ),
  events:
    parse(`subscription ($runId: ID!, $after: Int!) { runEvents(runId: $runId, after: $after) { __typename runId seq at
    ... on RunStarted { conversationId } ... on StepStarted { step } ... on StepFinished { step }
    ... on TextMessageStart { messageId role } ... on TextMessageContent { messageId delta } ... on TextMessageEnd { messageId }
    ... on ToolCallStart { toolCallId toolName } ... on ToolCallArgs { toolCallId delta } ... on ToolCallEnd { toolCallId } ... on ToolCallResult { toolCallId content isError }
    ... on RunFinished { output charge usage { status durationMs models { model inputTokens outputTokens } } } ... on RunFailed { error { code message retryable } charge } ... on RunCancelled { charge }
    ... on RunEventsGap { fromSeq toSeq reason } } }`),
};

/** Status of a refusal's code in REST. */
const statusOf: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FORBIDDEN_OPERATION: 403,
  NOT_FOUND: 404,
  INSTANCE_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  PROJECT_NOT_FOUND: 404,
  OFFERING_NOT_FOUND: 404,
  CONVERSATION_NOT_FOUND: 404,
  INSUFFICIENT_CREDITS: 402,
  WALLET_FROZEN: 423,
  INSTANCE_NOT_ACTIVE: 409,
  INSTANCE_PAUSED: 503,
  IDEMPOTENCY_CONFLICT: 409,
  TOO_MANY_RUNS: 429,
  INVALID_INPUT: 400,
  BAD_USER_INPUT: 400,
  UNAVAILABLE: 503,
  SUBGRAPH_UNAVAILABLE: 503,
  SALEOR_UNAVAILABLE: 503,
};

const problem = (code: string, title: string, facts: object = {}): ProblemError =>
  new ProblemError({ ...facts, status: statusOf[code] ?? 500, code, title });

const runBody = z.object({
  input: z.string(),
  conversationId: z.string().optional(),
  maxCharge: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  idempotencyKey: z.string().min(1).max(200).optional(),
});

/** REST for programs that do not speak GraphQL: every route is an operation of the same graph, with the same codes as RFC 9457 problems. */
export function restRoutes(app: ServiceApp, parts: Parts): void {
  const { deps, engine, identifier, routes } = parts;

  async function contextOf(request: Request): Promise<OperationContext> {
    const identity = await identifier.identify(request.headers.get('authorization'));
    if (identity.caller.kind === 'ANONYMOUS')
      throw new AccessError('UNAUTHENTICATED', 'Sign in or send an API key.');
    return operationContext({ identity, sign: deps.signInternal, signal: request.signal });
  }

  async function run<Data>(
    context: OperationContext,
    document: (typeof documents)[keyof typeof documents],
    variables: Record<string, unknown> = {},
  ): Promise<Data> {
    const { data, errors } = await engine.execute({ document, variables, context });
    const [error] = errors ?? [];
    if (error)
      throw problem(String((error.extensions['code'] as string | undefined) ?? 'INTERNAL'), error.message);
    return data as Data;
  }

  function accept<Payload extends Refusals>(
    payload: Payload,
    facts: (payload: Payload) => object = () => ({}),
  ): Payload {
    const [refusal] = payload.errors;
    if (refusal)
      throw problem(refusal.code, refusal.message, {
        ...facts(payload),
        ...(refusal.field ? { field: refusal.field } : {}),
      });
    return payload;
  }

  app.post('/v1/workspaces/auto', async (c) => {
    const context = await contextOf(c.req.raw);
    const { workspaceAuto } = await run<{
      workspaceAuto: Refusals & { organization: object; project: object };
    }>(context, documents.workspace);
    identifier.forget(context.identity);
    const { organization, project } = accept(workspaceAuto);
    return json({ organization, project });
  });

  app.post('/v1/instances/autoActivate', async (c) => {
    const context = await contextOf(c.req.raw);
    const body = await readJson(
      c,
      z.object({
        projectId: z.string(),
        offeringSlug: z.string(),
        idempotencyKey: z.string().min(1).max(200).optional(),
      }),
    );
    const input = { ...body, idempotencyKey: keyOf(c.req.raw, body.idempotencyKey) };
    const { instanceAutoActivate } = await run<{ instanceAutoActivate: Refusals & { instance: object } }>(
      context,
      documents.activate,
      { input },
    );
    return json(accept(instanceAutoActivate).instance, 201);
  });

  app.post('/v1/runs', async (c) => {
    const body = await readJson(c, runBody.extend({ instanceId: z.string() }));
    return start(c.req.raw, body.instanceId, body);
  });
  // An instance's own endpoint, by the path that its applied route says.
  app.post('/v1/instances/:instanceId/runs', async (c) =>
    start(c.req.raw, c.req.param('instanceId'), await readJson(c, runBody)),
  );

  async function start(
    request: Request,
    instanceId: string,
    body: z.output<typeof runBody>,
  ): Promise<Response> {
    const context = await contextOf(request);
    await checkRoute(instanceId);
    const { idempotencyKey, ...rest } = body;
    const input = { ...rest, instanceId, idempotencyKey: keyOf(request, idempotencyKey) };
    const { runStart } = await run<{
      runStart: Refusals & {
        run: { id: string; state: string };
        required: string | null;
        available: string | null;
        missing: string | null;
      };
    }>(context, documents.start, { input });
    const started = accept(runStart, ({ required, available, missing }) =>
      missing === null ? {} : { required, available, missing },
    ).run;
    const location = { location: `/v1/runs/${started.id}` };
    if (request.headers.get('accept')?.includes('text/event-stream')) return stream(context, started.id, 0);
    if (request.headers.get('prefer')?.includes('respond-async'))
      return new Response(JSON.stringify(started), {
        status: 202,
        headers: { 'content-type': 'application/json', ...location },
      });
    for await (const _event of events(context, started.id, 0)) void _event; // until the terminal one
    const { run: ended } = await run<{ run: object }>(context, documents.read, { id: started.id });
    return new Response(JSON.stringify(ended), {
      status: 200,
      headers: { 'content-type': 'application/json', ...location },
    });
  }

  /** What is applied decides: a paused route is 503 with a reason, one that is not applied is not there yet. */
  async function checkRoute(instanceId: string): Promise<void> {
    const id = fromGlobalId('Instance', instanceId);
    const route = id ? await routes.routeOf(id) : undefined;
    if (!id) throw problem('INSTANCE_NOT_FOUND', 'There is no such instance.');
    if (!route) return; // not applied: the graph says INSTANCE_NOT_ACTIVE to its members and NOT_FOUND to everybody else
    if (route.spec.desiredPhase === 'Terminated')
      throw problem('INSTANCE_NOT_FOUND', 'There is no such instance.');
    if (route.spec.paused)
      throw problem('INSTANCE_PAUSED', 'The instance is paused; resume it first.', { retryAfter: 30 });
  }

  app.get('/v1/runs/:id', async (c) => {
    const { run: found } = await run<{ run: object | null }>(await contextOf(c.req.raw), documents.read, {
      id: c.req.param('id'),
    });
    if (!found) throw problem('RUN_NOT_FOUND', 'There is no such run.');
    return json(found);
  });
  app.get('/v1/runs/:id/events', async (c) => {
    const after = Number(c.req.header('last-event-id') ?? c.req.query('after') ?? 0);
    if (!Number.isInteger(after) || after < 0) throw problem('BAD_USER_INPUT', 'after must be a seq.');
    return stream(await contextOf(c.req.raw), c.req.param('id'), after);
  });
  app.post('/v1/runs/:action', async (c) => {
    const [id, verb] = c.req.param('action').split(':');
    if (verb !== 'cancel')
      throw new ProblemError({ status: 404, code: 'NOT_FOUND', title: 'There is nothing here.' });
    const { runCancel } = await run<{ runCancel: Refusals & { run: object } }>(
      await contextOf(c.req.raw),
      documents.cancel,
      { input: { runId: id } },
    );
    return json(accept(runCancel).run);
  });
  app.get('/v1/openapi.json', () => json(openApi(deps.publicOrigin)));

  interface Event {
    seq: number;
    __typename: string;
  }
  async function* events(context: OperationContext, runId: string, after: number): AsyncGenerator<Event> {
    const source = await parts.subscribe({
      document: documents.events,
      variables: { runId, after },
      context,
    });
    if (!(Symbol.asyncIterator in source))
      throw problem(
        String((source.errors?.[0]?.extensions['code'] as string | undefined) ?? 'INTERNAL'),
        source.errors?.[0]?.message ?? 'The stream was refused.',
      );
    for await (const { data, errors } of source) {
      if (errors?.[0])
        throw problem(
          String((errors[0].extensions['code'] as string | undefined) ?? 'INTERNAL'),
          errors[0].message,
        );
      yield (data as { runEvents: Event }).runEvents;
    }
  }

  /** Run events as server-sent events; the id is the seq, so a browser's Last-Event-ID resumes without code. */
  async function stream(context: OperationContext, runId: string, after: number): Promise<Response> {
    const source = events(context, runId, after);
    const first = await source.next(); // refusals become problems, not broken streams
    const encoder = new TextEncoder();
    let pending: IteratorResult<Event> | undefined = first;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = pending ?? (await source.next());
          pending = undefined;
          if (done) return controller.close();
          controller.enqueue(
            encoder.encode(
              `id: ${value.seq}\nevent: ${value.__typename}\ndata: ${JSON.stringify(value)}\n\n`,
            ),
          );
        } catch (error) {
          controller.enqueue(
            encoder.encode(
              `event: error\ndata: ${JSON.stringify({ code: error instanceof ProblemError ? error.problem.code : 'INTERNAL' })}\n\n`,
            ),
          );
          controller.close();
        }
      },
      cancel: async () => void (await source.return(undefined)),
    });
    return new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        location: `/v1/runs/${runId}`,
      },
    });
  }
}

/** The key of a command: the Idempotency-Key header, else the body's, else one that nobody will repeat. */
const keyOf = (request: Request, given: string | undefined): string =>
  request.headers.get('idempotency-key') ?? given ?? crypto.randomUUID();
