import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ServiceError } from '@agentstore/kernel/http/client';
import { clientAddress } from '@agentstore/kernel/http/client-address';
import { ProblemError, problemOf, problemResponse } from '@agentstore/kernel/http/problem';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { toGlobalId } from '@agentstore/kernel/ids';
import type { WidgetSession, WidgetSessionRequest } from '@agentstore/kernel/widget-session';
import type { Deps } from '../deps.ts';
import { originOf } from './origin.ts';
import { createRateLimit, networkOf } from './rate-limit.ts';

const handle = z.string().min(1).max(200);
const initBody = z.object({
  widgetKey: z.string().min(1).max(100),
  handle: handle.optional(),
  identity: z.string().max(8_192).optional(),
});
const endBody = z.object({ handle });

/** What the control plane refuses that a page is told as it is. */
const told = new Set([
  'WIDGET_NOT_FOUND',
  'ORIGIN_NOT_ALLOWED',
  'SESSION_REVOKED',
  'IDENTITY_INVALID',
  'INSTANCE_PAUSED',
  'INSTANCE_NOT_READY',
]);

/** Sessions of widgets, for pages of other sites: widget/PROTOCOL.md §1. */
export function widgetSessionRoutes(
  app: ServiceApp,
  deps: Pick<Deps, 'controlPlane' | 'log' | 'publicOrigin' | 'widget'>,
): void {
  const { controlPlane, widget } = deps;
  const { address, key, visitor } = widget.initsPerMinute;
  const limits = {
    address: createRateLimit(address),
    key: createRateLimit(key),
    visitor: createRateLimit(visitor),
  };

  function limited(request: Request): void {
    const from = clientAddress(request, widget.proxies);
    take(limits.address.take(from === undefined ? '' : networkOf(from)));
  }

  async function init(request: Request, origin: string): Promise<Response> {
    limited(request);
    const body = await bodyOf(request, initBody);
    take(limits.key.take(body.widgetKey));
    if (body.handle) take(limits.visitor.take(hashOf(body.handle)));
    const asked: WidgetSessionRequest = { ...body, origin };
    const session = await controlPlane.call<WidgetSession>('POST', '/internal/widget-sessions:init', asked, {
      deadlineMs: 5_000,
    });
    if (body.handle) limits.visitor.rename(hashOf(body.handle), hashOf(session.handle));
    const { sessionId, visitorId, instanceId, organizationId, spendCap, identified, branding } = session;
    const token = await widget.signToken(
      {
        sessionId,
        visitorId,
        instanceId,
        organizationId,
        origin: session.origin,
        spendCap,
        showToolSteps: branding.showToolSteps,
      },
      widget.tokenSeconds,
    );
    return json({
      token,
      expiresIn: widget.tokenSeconds,
      handle: session.handle,
      visitorId,
      identified,
      instanceId: toGlobalId('Instance', instanceId),
      graphqlUrl: `${deps.publicOrigin.replace(/^http/, 'ws')}/graphql`,
      branding,
      limits: widget.limits,
    });
  }

  async function end(request: Request): Promise<Response> {
    limited(request);
    await controlPlane.call('POST', '/internal/widget-sessions:end', await bodyOf(request, endBody), {
      deadlineMs: 5_000,
      retries: 1,
    });
    return new Response(null, { status: 204 });
  }

  /** For the page that asks, whose every answer it may read. */
  async function answer(
    request: Request,
    work: (request: Request, origin: string) => Promise<Response>,
  ): Promise<Response> {
    const origin = originOf(request.headers);
    const response = await (
      origin
        ? work(request, origin)
        : Promise.reject(
            refusal(403, 'ORIGIN_NOT_ALLOWED', 'Widgets are for pages of one site; programs use an API key.'),
          )
    ).catch((error: unknown) => refused(error));
    for (const [name, value] of Object.entries(corsOf(origin))) response.headers.set(name, value);
    response.headers.set('cache-control', 'no-store');
    return response;
  }

  function refused(error: unknown): Response {
    if (error instanceof RateLimited)
      return problemResponse(error.problem, { 'retry-after': String(error.seconds) });
    if (error instanceof ServiceError && told.has(error.code)) {
      const { title, branding } = error.facts;
      return problemResponse({
        status: error.status,
        code: error.code,
        title: String(title),
        ...(branding === undefined ? {} : { branding }),
      });
    }
    return problemOf(error, deps.log);
  }

  for (const [path, work] of [
    ['/v1/widget/session:init', init],
    ['/v1/widget/session:end', end],
  ] as const) {
    app.post(path, (c) => answer(c.req.raw, work));
    app.options(path, (c) =>
      answer(c.req.raw, async () => {
        const headers = {
          'access-control-allow-methods': 'POST',
          'access-control-allow-headers': 'content-type',
          'access-control-max-age': '600',
        };
        return new Response(null, { status: 204, headers });
      }),
    );
  }
}

const corsOf = (origin: string | undefined): Record<string, string> => ({
  vary: 'Origin',
  ...(origin
    ? { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'Retry-After' }
    : {}),
});

class RateLimited extends ProblemError {
  readonly seconds: number;
  constructor(seconds: number) {
    super({ status: 429, code: 'RATE_LIMITED', title: `Too many requests; wait ${seconds} s.` });
    this.seconds = seconds;
  }
}

/** Throws when there has to be waited. */
function take(seconds: number): void {
  if (seconds > 0) throw new RateLimited(seconds);
}

const refusal = (status: number, code: string, title: string): ProblemError =>
  new ProblemError({ status, code, title });

/** Handles are not kept in memory as keys of a map. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64');

async function bodyOf<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.output<Schema>> {
  const isJson = /^application\/json\b/i.test(request.headers.get('content-type') ?? '');
  const body: unknown = isJson ? await request.json().catch(() => undefined) : undefined;
  const { success, data } = schema.safeParse(body);
  if (!success)
    throw refusal(400, 'BAD_USER_INPUT', 'The body is no JSON of the expected shape (widget/PROTOCOL.md).');
  return data;
}
