import { GraphQLError, type ExecutionResult } from 'graphql';
import { activeTraceId } from '@agentstore/kernel/http/trace';
import type { Log } from '@agentstore/kernel/log';

/**
 * An answer as clients see it: of each error its message, path, code and trace id. What has no code was meant for nobody outside (the planner's own
 * faults), or says that our own query is bad (`GRAPHQL_…` of a subgraph with another schema), is masked and logged. Saleor says its codes in its own words, under `exception`.
 */
export function cleaned(result: ExecutionResult, log: Log): ExecutionResult {
  const { data, errors, extensions } = result;
  if (!errors?.length) {
    if (data === undefined) return {};
    if (data !== null) return { data };
    log.warn({ incomplete: extensions?.['valueCompletion'] }, 'a subgraph left out what cannot be null');
    return { data, errors: [masked(undefined, undefined)] };
  }
  return {
    ...(data === undefined ? {} : { data }),
    errors: errors.map((error) => {
      const { code, traceId } = (error.extensions ?? {}) as { code?: string; traceId?: string };
      const stable = code && !isOfOurQuery(code) ? code : shopCode(error);
      if (!stable) {
        log.error({ err: error, traceId: activeTraceId() }, 'operation failed');
        return masked(error.path, traceId);
      }
      return new GraphQLError(error.message, {
        ...(error.path ? { path: error.path } : {}),
        extensions: { code: stable, ...(traceId ? { traceId } : {}) },
      });
    }),
  };
}

/** The client's own document was found good before: what a subgraph finds wrong with a query is the router's fault. */
const isOfOurQuery = (code: string): boolean =>
  code === 'DOWNSTREAM_SERVICE_ERROR' || code.startsWith('GRAPHQL_');

function masked(path: GraphQLError['path'], given: string | undefined): GraphQLError {
  const traceId = given ?? activeTraceId();
  return new GraphQLError('Something went wrong on our side.', {
    ...(path ? { path } : {}),
    extensions: { code: 'INTERNAL', ...(traceId ? { traceId } : {}) },
  });
}

function shopCode(error: GraphQLError): string | undefined {
  const exception = error.extensions?.['exception'] as { code?: unknown } | undefined;
  if (exception?.code === 'PermissionDenied') return 'FORBIDDEN';
  return typeof exception?.code === 'string' ? 'SHOP_ERROR' : undefined;
}
