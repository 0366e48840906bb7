import type { DocumentNode } from 'graphql';
import { z } from 'zod';
import { AccessError, may } from '@agentstore/kernel/access';
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
import { operations, type Refusals, type Started } from './operations.ts';
import { answerProblem, problem, problemOfError } from './problems.ts';
import { afterOf, runEvents, streamOf } from './run-stream.ts';

interface Parts {
  readonly deps: Deps;
  readonly engine: Engine;
  readonly subscriber: Subscriber;
  readonly identifier: Identifier;
  readonly routes: AppliedRoutes;
}

const idempotencyKey = z.string().min(1).max(200).optional();
const runBody = z.object({
  input: z.string(),
  conversationId: z.string().optional(),
  maxCharge: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  idempotencyKey,
});

/** REST for programs that do not speak GraphQL: every route is an operation of the same graph, with the same codes as RFC 9457 problems. */
export function restRoutes(app: ServiceApp, parts: Parts): void {
  const { deps, engine, subscriber, identifier, routes } = parts;

  const contextOf = (request: Request): Promise<OperationContext> =>
    operationContext({
      identifier,
      sign: deps.signInternal,
      authorization: request.headers.get('authorization'),
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
    if (errors?.[0]) throw problemOfError(errors[0]);
    return data as Data;
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
      const input = { ...body, idempotencyKey: keyOf(c.req.raw, body.idempotencyKey) };
      const { instanceAutoActivate } = await run<{ instanceAutoActivate: Refusals & { instance: object } }>(
        context,
        operations.activate,
        { input },
      );
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
    const input = { ...body, idempotencyKey: keyOf(request, body.idempotencyKey) };
    const { runStart } = await run<{ runStart: Started }>(context, operations.start, { input });
    const { id, state } = accepted(runStart, ({ required, available, missing }) =>
      missing === null ? {} : { required, available, missing },
    ).run;
    const headers = { 'content-type': 'application/json', location: `/v1/runs/${id}` };
    if (request.headers.get('accept')?.includes('text/event-stream'))
      return streamOf(id, runEvents(subscriber, context, { runId: id, after }));
    if (/\brespond-async\b/.test(request.headers.get('prefer') ?? ''))
      return new Response(JSON.stringify({ id, state }), {
        status: 202,
        headers: { ...headers, 'preference-applied': 'respond-async' },
      });
    for await (const _event of runEvents(subscriber, context, { runId: id, after: 0 })) void _event; // until the terminal one
    const { run: ended } = await run<{ run: object }>(context, operations.read, { id });
    return new Response(JSON.stringify(ended), { status: 200, headers });
  }

  /** What is applied decides: a paused route is 503 with a reason. Whoever is not of the organization learns nothing of it. */
  async function checkRoute({ identity }: OperationContext, instanceId: string): Promise<void> {
    const id = fromGlobalId('Instance', instanceId);
    if (!id) throw problem('INSTANCE_NOT_FOUND', 'There is no such instance.');
    const route = await routes.routeOf(id);
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
      return streamOf(asked.runId, runEvents(subscriber, context, asked));
    }),
  );
  app.post('/v1/runs/:action', (c) =>
    signedIn(c.req.raw, async (context) => {
      const [id, verb] = c.req.param('action').split(':');
      if (verb !== 'cancel')
        throw new ProblemError({ status: 404, code: 'NOT_FOUND', title: 'There is nothing here.' });
      const { runCancel } = await run<{ runCancel: Refusals & { run: object } }>(context, operations.cancel, {
        input: { runId: id },
      });
      return json(accepted(runCancel).run);
    }),
  );
  app.get('/v1/openapi.json', () => json(openApi(deps.publicOrigin)));
}

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

/** The key of a command: the Idempotency-Key header, else the body's, else one that nobody will repeat. */
const keyOf = (request: Request, given: string | undefined): string =>
  request.headers.get('idempotency-key') ?? given ?? crypto.randomUUID();

function seqOf(request: Request): number {
  const after = afterOf(request);
  if (after === undefined) throw problem('BAD_USER_INPUT', 'Last-Event-ID must be a seq.');
  return after;
}
