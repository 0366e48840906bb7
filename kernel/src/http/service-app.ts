import { Hono, type Context } from 'hono';
import { z } from 'zod';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Caller } from '../caller.ts';
import { parseMicroCredits } from '../credits.ts';
import type { Log } from '../log.ts';
import { ProblemError, problemOf, problemResponse } from './problem.ts';
import { activeTraceId, withTrace } from './trace.ts';

/** What a REST handler finds in its hono context: `c.var.caller`. */
export type ServiceEnv = { Variables: { caller: Caller } };

/** A hono app with our REST manners. */
export type ServiceApp = Hono<ServiceEnv>;

/**
 * Internal REST of one process: problem+json for everything thrown, the caller verified before any handler below `/` runs,
 * `/health` (the process answers) and `/readiness` (its dependencies do; `ready` throws a sentence when not) open to all.
 */
export function createServiceApp(options: {
  log: Log;
  authenticate: Authenticator;
  ready: () => Promise<void>;
  /** Paths (exact or prefix ending in `*`) that verify their callers themselves: webhooks, public handshakes, /graphql. */
  open?: readonly string[];
}): ServiceApp {
  const app: ServiceApp = new Hono<ServiceEnv>();
  const open = ['/health', '/readiness', ...(options.open ?? [])];
  app.use('*', async (c, next) => {
    if (
      !open.some((path) =>
        path.endsWith('*') ? c.req.path.startsWith(path.slice(0, -1)) : c.req.path === path,
      )
    )
      c.set('caller', await options.authenticate(c.req.raw));
    await next();
  });
  app.get('/health', (c) => c.json({ status: 'ok' }));
  app.get('/readiness', async (c) => {
    try {
      await options.ready();
      return c.json({ status: 'ready' });
    } catch (error) {
      options.log.warn({ err: error }, 'not ready');
      return problemResponse({ status: 503, code: 'NOT_READY', title: (error as Error).message });
    }
  });
  app.onError((error) => problemOf(error, options.log.child({ traceId: activeTraceId() })));
  app.notFound((c) =>
    problemResponse({
      status: 404,
      code: 'NOT_FOUND',
      title: `There is nothing at ${c.req.method} ${c.req.path}.`,
    }),
  );
  return app;
}

/** A fetch handler that runs under the request's trace context; what `App.fetch` should be. */
export const traced =
  (handle: (request: Request) => Response | Promise<Response>) =>
  (request: Request): Promise<Response> =>
    withTrace(request.headers.get('traceparent'), async () => handle(request));

/** The request's JSON body, parsed by the schema. Throws a 400 problem BAD_REQUEST that names every faulty member. */
export async function readJson<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  let body: unknown;
  try {
    body = await c.req.json();
  } catch {
    throw new ProblemError({ status: 400, code: 'BAD_REQUEST', title: 'The body is not JSON.' });
  }
  return parsed(schema, body, 'The body does not have the expected shape.');
}

/** A value of a request, parsed by the schema. Throws a 400 problem BAD_REQUEST that names every faulty member. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  title: string,
): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new ProblemError({
    status: 400,
    code: 'BAD_REQUEST',
    title,
    faults: error.issues.map((issue) => ({ member: issue.path.join('.'), message: issue.message })),
  });
}

/** JSON whose bigints are decimal strings. */
export const json = (body: unknown, status = 200): Response =>
  new Response(
    JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
    {
      status,
      headers: { 'content-type': 'application/json' },
    },
  );

/** A zod schema for credits on the wire: a decimal string of micro-credits, as bigint. */
export const microCreditsSchema = z.string().transform((text, context) => {
  const amount = parseMicroCredits(text);
  if (amount !== undefined) return amount;
  context.addIssue('a decimal string of micro-credits');
  return z.NEVER;
});
