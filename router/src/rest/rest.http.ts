import type { DocumentNode } from 'graphql';
import { z } from 'zod';
import { AccessError, may } from '@agentstore/kernel/access';
import type { AppliedResources } from '@agentstore/kernel/applied-resources';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, parsed, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Deps } from '../deps.ts';
import type { Engine } from '../execution/engine.ts';
import { operationContext, type OperationContext } from '../execution/operation-context.ts';
import type { Identifier } from '../identity/identify.ts';
import type { RouteSpec } from '../policy/route-spec.ts';
import type { Subscriber } from '../subscriptions/subscribe.ts';
import { openApi } from './openapi.ts';
import { operations, type Refusals, type Started, type UploadInit } from './operations.ts';
import { answerProblem, problem, problemOfError, repeatableOnlyUnder } from './problems.ts';
import { afterOf, openRunEvents, streamOf } from './run-stream.ts';

interface Parts {
  readonly deps: Deps;
  readonly engine: Engine;
  readonly subscriber: Subscriber;
  readonly identifier: Identifier;
  readonly routes: AppliedResources<RouteSpec>;
}

const idempotencyKey = z.string().min(1).max(200).optional();
const keyHeader = z.object({ 'Idempotency-Key': idempotencyKey });
const runBody = z.object({
  input: z.string(),
  conversationId: z.string().optional(),
  maxCharge: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  idempotencyKey,
});

const fileBody = z.object({
  name: z.string(),
  contentType: z.string(),
  sizeBytes: z.int().max(2_147_483_647),
  sha256: z.string(),
});

/** REST for programs that do not speak GraphQL: every route is an operation of the same graph, with the same codes as RFC 9457 problems. */
export function restRoutes(app: ServiceApp, parts: Parts): void {
  const { deps, engine, subscriber, identifier, routes } = parts;

  const contextOf = (request: Request): Promise<OperationContext> =>
    operationContext({
      identifier,
      sign: deps.signInternal,
      authorization: request.headers.get('authorization'),
      origin: request.headers.get('origin'),
      signal: request.signal,
    });

  /** A route of signed-in callers: what it throws becomes a problem. */
  async function signedIn(
    request: Request,
    handle: (context: OperationContext) => Promise<Response>,
  ): Promise<Response> {
    try {
      const context = await contextOf(request);
      if (context.identity.caller.kind === 'ANONYMOUS')
        throw new AccessError('UNAUTHENTICATED', 'Sign in or send an API key.');
      if (context.identity.caller.kind === 'WIDGET_SESSION')
        throw new AccessError('FORBIDDEN', 'Visitors of a widget speak GraphQL.');
      return await handle(context);
    } catch (error) {
      return answerProblem(error instanceof AccessError ? problem(error.code, error.message) : error);
    }
  }

  async function run<Data>(
    context: OperationContext,
    document: DocumentNode,
    variables: Record<string, unknown> = {},
  ): Promise<Data> {
    const { data, errors } = await engine.execute({ document, variables, context });
    // A field below that is null because its part of the store is away does not void what the others did and said.
    const answered = Object.values(data ?? {}).some((root) => root !== null);
    if (errors?.[0] && !answered) throw problemOfError(errors[0]);
    return data as Data;
  }

  /** A command under the client's key, or under one of ours when it sent none. */
  async function runOnce<Data>(
    request: Request,
    context: OperationContext,
    document: DocumentNode,
    body: { readonly idempotencyKey?: string | undefined },
  ): Promise<Data> {
    const given = keyOf(request, body.idempotencyKey);
    const key = given ?? crypto.randomUUID();
    try {
      return await run<Data>(context, document, { input: { ...body, idempotencyKey: key } });
    } catch (error) {
      throw given === undefined ? repeatableOnlyUnder(key, error) : error;
    }
  }

  app.post('/v1/workspaces/auto', (c) =>
    signedIn(c.req.raw, async (context) => {
      const { workspaceAuto } = await run<{
        workspaceAuto: Refusals & { organization: object; project: object };
      }>(context, operations.workspace);
      const { organization, project } = accepted(workspaceAuto);
      return json({ organization, project });
    }),
  );

  app.post('/v1/instances/autoActivate', (c) =>
    signedIn(c.req.raw, async (context) => {
      const body = await readJson(
        c,
        z.object({ projectId: z.string(), offeringSlug: z.string(), idempotencyKey }),
      );
      const { instanceAutoActivate } = await runOnce<{
        instanceAutoActivate: Refusals & { instance: object };
      }>(c.req.raw, context, operations.activate, body);
      return json(accepted(instanceAutoActivate).instance, 201);
    }),
  );

  app.post('/v1/runs', (c) =>
    signedIn(c.req.raw, async (context) =>
      start(c.req.raw, context, await readJson(c, runBody.extend({ instanceId: z.string() }))),
    ),
  );
  // An instance's own endpoint, by the path that its applied route says.
  app.post('/v1/instances/:instanceId/runs', (c) =>
    signedIn(c.req.raw, async (context) =>
      start(c.req.raw, context, { ...(await readJson(c, runBody)), instanceId: c.req.param('instanceId') }),
    ),
  );

  async function start(
    request: Request,
    context: OperationContext,
    body: z.output<typeof runBody> & { instanceId: string },
  ): Promise<Response> {
    const after = seqOf(request);
    await checkRoute(context, body.instanceId);
    const { runStart } = await runOnce<{ runStart: Started }>(request, context, operations.start, body);
    const { run: started } = accepted(runStart, ({ required, available, missing }) =>
      missing === null ? {} : { required, available, missing },
    );
    if (!started) throw problem('INTERNAL', 'Something went wrong on our side.');
    const headers = { 'content-type': 'application/json', location: `/v1/runs/${started.id}` };
    const underWay = (more: Record<string, string> = {}): Response =>
      new Response(JSON.stringify({ id: started.id, state: started.state }), {
        status: 202,
        headers: { ...headers, ...more },
      });
    if (/\brespond-async\b/.test(request.headers.get('prefer') ?? ''))
      return underWay({ 'preference-applied': 'respond-async' });
    const streamed = request.headers.get('accept')?.includes('text/event-stream');
    try {
      const asked = { runId: started.id, after: streamed ? after : 0 };
      const events = await openRunEvents(subscriber, context, asked);
      if (streamed) return streamOf(started.id, events);
      for await (const _event of events) void _event; // until the terminal one
      const { run: ended } = await run<{ run: object }>(context, operations.read, { id: started.id });
      return new Response(JSON.stringify(ended), { status: 200, headers });
    } catch (error) {
      // It runs and is charged, whatever was lost on the way here: the answer is where it is found, never a problem that makes somebody start another.
      if (!context.signal.aborted)
        deps.log.warn({ err: error, runId: started.id }, 'a started run could not be followed');
      return underWay();
    }
  }

  /** What is applied decides: a paused route is 503 with a reason. Whoever is not of the organization learns nothing of it. */
  async function checkRoute({ identity }: OperationContext, instanceId: string): Promise<void> {
    const id = fromGlobalId('Instance', instanceId);
    if (!id) throw problem('INSTANCE_NOT_FOUND', 'There is no such instance.');
    const route = await routes.resourceOf(id);
    // Not applied, or not theirs: the graph says INSTANCE_NOT_ACTIVE to its members and NOT_FOUND to everybody else.
    if (!route || !may(identity.caller, route.organizationId, 'run:start')) return;
    if (route.spec.desiredPhase === 'Terminated')
      throw problem('INSTANCE_NOT_FOUND', 'There is no such instance.');
    if (route.spec.paused)
      throw problem('INSTANCE_PAUSED', 'The instance is paused; resume it first.', { reason: 'Paused' });
  }

  app.get('/v1/runs/:id', (c) =>
    signedIn(c.req.raw, async (context) => {
      const { run: found } = await run<{ run: object | null }>(context, operations.read, {
        id: c.req.param('id'),
      });
      if (!found) throw problem('RUN_NOT_FOUND', 'There is no such run.');
      return json(found);
    }),
  );
  app.get('/v1/runs/:id/events', (c) =>
    signedIn(c.req.raw, async (context) => {
      const asked = { runId: c.req.param('id'), after: seqOf(c.req.raw) };
      // Asked first: once the stream is open there is no status left to say it with.
      const { run: found } = await run<{ run: object | null }>(context, operations.find, { id: asked.runId });
      if (!found) throw problem('RUN_NOT_FOUND', 'There is no such run.');
      return streamOf(asked.runId, await openRunEvents(subscriber, context, asked));
    }),
  );
  app.post('/v1/runs/:action', (c) =>
    signedIn(c.req.raw, async (context) => {
      const [id, verb] = c.req.param('action').split(':');
      if (verb !== 'cancel') throw nothingHere();
      const { runCancel } = await run<{ runCancel: Refusals & { run: object } }>(context, operations.cancel, {
        input: { runId: id },
      });
      return json(accepted(runCancel).run);
    }),
  );

  app.post('/v1/kb/:kbId/uploads:init', (c) =>
    signedIn(c.req.raw, async (context) => {
      const input = { ...(await readJson(c, fileBody)), knowledgeBaseId: c.req.param('kbId') };
      const { documentUploadInit } = await run<{ documentUploadInit: UploadInit }>(
        context,
        operations.initUpload,
        { input },
      );
      const { document, upload } = accepted(documentUploadInit, ({ quota }) => quota ?? {});
      const headers = Object.fromEntries(upload?.headers.map(({ name, value }) => [name, value]) ?? []);
      return json({ document, upload: { ...upload, headers } }, 201);
    }),
  );
  app.post('/v1/kb/:action', (c) =>
    signedIn(c.req.raw, async (context) => {
      const [knowledgeBaseId, verb] = c.req.param('action').split(':');
      if (verb !== 'ingest') throw nothingHere();
      const { documentId } = await readJson(c, z.object({ documentId: z.string() }));
      const { documentIngest } = await run<{ documentIngest: Refusals & { document: object } }>(
        context,
        operations.ingest,
        { input: { knowledgeBaseId, documentId } },
      );
      return json(accepted(documentIngest).document, 202);
    }),
  );
  app.get('/v1/openapi.json', () => json(openApi(deps.publicOrigin)));
}

const nothingHere = (): ProblemError =>
  new ProblemError({ status: 404, code: 'NOT_FOUND', title: 'There is nothing here.' });

/** A payload without refusals; the first one is thrown as a problem. */
function accepted<Payload extends Refusals>(
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

/** The key of a command: the Idempotency-Key header, else the body's. */
function keyOf(request: Request, given: string | undefined): string | undefined {
  const header = { 'Idempotency-Key': request.headers.get('idempotency-key') ?? undefined };
  return parsed(keyHeader, header, 'A header does not have the expected shape.')['Idempotency-Key'] ?? given;
}

function seqOf(request: Request): number {
  const after = afterOf(request);
  if (after === undefined) throw problem('BAD_USER_INPUT', 'Last-Event-ID must be a seq.');
  return after;
}
