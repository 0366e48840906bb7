import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { GraphQLError, type DocumentNode, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { maskError } from '@agentstore/kernel/graphql/server';
import { isUnavailable } from '@agentstore/kernel/http/problem';
import type { Deps } from './deps.ts';
import type { Documents } from './execution/documents.ts';
import type { Engine, Operation } from './execution/engine.ts';
import { operationContext, type OperationContext } from './execution/operation-context.ts';
import type { Identifier } from './identity/identify.ts';
import { forgeryOf } from './policy/preflight.ts';
import { eventStreamResponse } from './subscriptions/event-stream-response.ts';
import { resumed } from './subscriptions/resume-operation.ts';
import type { Subscriber } from './subscriptions/subscribe.ts';

/** What yoga's context holds: the operation's own, made once per request. */
interface RouterContext {
  readonly operation: OperationContext;
  readonly lastEventId: string | null;
}

/**
 * The public GraphQL endpoint over HTTP and SSE: yoga speaks the protocol; documents are parsed and judged by our own cache, executed by the engine or the
 * subscriber. No batching, JSON bodies only, no GET for mutations and none that a page of another site could send.
 */
export function createGraphqlEndpoint(
  deps: Deps,
  parts: { documents: Documents; engine: Engine; subscriber: Subscriber; identifier: Identifier },
): (request: Request) => Promise<Response> {
  const { documents, engine, subscriber, identifier } = parts;

  const execution: Plugin<RouterContext> = {
    onParse: ({ setParseFn }) => setParseFn((source) => documents.parse(textOfSource(source))),
    onValidate: ({ setValidationFn }) =>
      setValidationFn((schema, document: DocumentNode) => documents.faults(schema, document)),
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn(async (args: ExecutionArgs) => statusOfRefusal(await engine.execute(operationFrom(args)))),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn(async (args: ExecutionArgs) => {
        const { lastEventId } = args.contextValue as RouterContext;
        const answer = await subscriber.subscribe(resumed(operationFrom(args), lastEventId, args.schema));
        return isAsyncIterable(answer) ? answer : statusOfRefusal(answer);
      }),
    onResultProcess({ result, acceptableMediaTypes, setResultProcessor }) {
      if (isAsyncIterable<ExecutionResult>(result) && acceptableMediaTypes.includes('text/event-stream'))
        setResultProcessor(() => eventStreamResponse(result), 'text/event-stream');
    },
  };

  const yoga: YogaServerInstance<object, RouterContext> = createYoga<object, RouterContext>({
    graphqlEndpoint: '/graphql',
    schema: () => engine.current().schema,
    landingPage: false,
    graphiql: false,
    batching: false,
    parserAndValidationCache: false,
    logging: false,
    // Callers are known by a header, never by a cookie, so any page may ask.
    cors: { origin: '*', credentials: false, methods: ['GET', 'POST', 'OPTIONS'] },
    maskedErrors: { maskError: (error) => maskError(error, deps.log) },
    context: async ({ request }) => ({
      operation: await contextOf(request),
      lastEventId: request.headers.get('last-event-id'),
    }),
    plugins: [execution],
  });

  async function contextOf(request: Request): Promise<OperationContext> {
    try {
      return await operationContext({
        identifier,
        sign: deps.signInternal,
        authorization: request.headers.get('authorization'),
        origin: request.headers.get('origin'),
        signal: request.signal,
      });
    } catch (error) {
      throw withStatus(error, deps);
    }
  }

  return async (request) => {
    const forgery = forgeryOf(request);
    if (!forgery) return yoga.fetch(request, {});
    const { status, code, message } = forgery;
    return Response.json({ errors: [{ message, extensions: { code } }] }, { status });
  };
}

const refusalStatus: Readonly<Record<string, number>> = {
  OPERATION_RESOLUTION_FAILURE: 400,
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FORBIDDEN_OPERATION: 403,
  UNAVAILABLE: 503,
};

/**
 * An answer that was refused before anything was executed (no data, not even null) has a status of its own where the client takes
 * application/graphql-response+json; in application/json it stays 200, as that media type has it.
 */
function statusOfRefusal(result: ExecutionResult): ExecutionResult {
  if (result.data !== undefined || !result.errors) return result;
  return {
    ...result,
    errors: result.errors.map((error) => {
      const { code } = error.extensions;
      const status = refusalStatus[String(code)] ?? 500;
      return new GraphQLError(error.message, {
        extensions: { ...error.extensions, http: { spec: true, status } },
      });
    }),
  };
}

/** A credential that does not hold is 401, one that cannot be looked at now 503, before anything is executed. */
function withStatus(error: unknown, { log }: Pick<Deps, 'log'>): unknown {
  if ((error as { code?: string }).code === 'UNAUTHENTICATED')
    return new GraphQLError((error as Error).message, {
      extensions: {
        code: 'UNAUTHENTICATED',
        http: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
      },
    });
  if (!isUnavailable(error)) return error;
  const { message, extensions } = maskError(error, log) as GraphQLError;
  return new GraphQLError(message, { extensions: { ...extensions, http: { status: 503 } } });
}

const textOfSource = (source: unknown): string =>
  typeof source === 'string' ? source : (source as { body: string }).body;

const operationFrom = (args: ExecutionArgs): Operation => ({
  document: args.document,
  operationName: args.operationName,
  variables: (args.variableValues ?? {}) as Record<string, unknown>,
  context: (args.contextValue as RouterContext).operation,
});
