import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { AccessError } from '../access.ts';
import { GoingAwayError } from '../going-away.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { isUnavailable } from '../http/problem.ts';
import { activeTraceId } from '../http/trace.ts';
import type { Log } from '../log.ts';
import type { GraphContext } from './builder.ts';

/**
 * A subgraph's GraphQL endpoint: the caller verified from the internal token, errors in three kinds (access coded, faults masked with
 * the trace id and logged once), subscriptions over SSE in distinct-connections mode. No GraphiQL, no landing page, no batching.
 */
export function createGraphqlHandler<Deps extends object>(options: {
  schema: GraphQLSchema;
  deps: Deps;
  authenticate: Authenticator;
  log: Log;
}): (request: Request) => Promise<Response> {
  const yoga: YogaServerInstance<object, GraphContext<Deps>> = createYoga<object, GraphContext<Deps>>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    cors: false,
    batching: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskError(error, options.log) },
    context: async ({ request }) => ({
      request,
      deps: options.deps,
      caller: await options.authenticate(request),
    }),
    plugins: [statusOfAccess],
  });
  return async (request) => yoga.fetch(request, {});
}

/** What a client sees of a thrown error: our own GraphQLErrors as they are, access with its code, everything else masked. */
export function maskError(error: unknown, log: Log): Error {
  const original = error instanceof GraphQLError ? error.originalError : error;
  const at =
    error instanceof GraphQLError
      ? { ...(error.nodes ? { nodes: error.nodes } : {}), ...(error.path ? { path: error.path } : {}) }
      : {};
  if (error instanceof GraphQLError && (!original || original instanceof GraphQLError))
    return withoutValues(error);
  if (original instanceof AccessError)
    return new GraphQLError(original.message, { ...at, extensions: { code: original.code } });
  if (original instanceof GoingAwayError)
    return new GraphQLError(original.message, { ...at, extensions: { code: 'GOING_AWAY' } });
  const traceId = activeTraceId();
  if (isUnavailable(original)) {
    log.warn({ err: original, traceId }, 'dependency unavailable');
    return new GraphQLError('A part of the store cannot be reached now. Try again.', {
      ...at,
      extensions: { code: 'UNAVAILABLE', traceId },
    });
  }
  log.error({ err: original, traceId }, 'resolver failed');
  return new GraphQLError('Something went wrong on our side.', {
    ...at,
    extensions: { code: 'INTERNAL', traceId },
  });
}

const repeatedValue = /^(Variable "\$\w+" got invalid value) [^]*?((?: at "[\w.[\]]+")?; [^;]*)$/;

/** graphql-js repeats all of a variable of which a member does not fit, and so a secret that was given beside that member. */
function withoutValues(error: GraphQLError): GraphQLError {
  const message = error.message.replace(repeatedValue, '$1$2');
  return message === error.message
    ? error
    : new GraphQLError(message, { nodes: error.nodes ?? null, extensions: error.extensions });
}

/** A request whose token does not verify is 401 for HTTP clients too, not 200 with an error inside. */
const statusOfAccess: Plugin = {
  onResultProcess({ result }) {
    if (!('errors' in result) || !result.errors?.length) return;
    if (
      result.errors.some((error) => (error as GraphQLError).extensions?.['code'] === 'UNAUTHENTICATED') &&
      !('data' in result && result.data)
    )
      (result as { extensions?: object }).extensions = {
        ...(result as { extensions?: object }).extensions,
        http: { status: 401 },
      };
  },
};
