import type http from 'node:http';
import {
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionResult,
} from 'graphql';
import type { ExecutionArgs } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { maskError } from '@agentstore/kernel/graphql/server';
import type { Deps } from '../deps.ts';
import { operationOf, type Engine, type Operation } from '../execution/engine.ts';
import { operationContext } from '../execution/operation-context.ts';
import type { Identifier } from '../identity/identify.ts';
import { limitError } from '../policy/limits.ts';
import type { Subscriber } from './subscribe.ts';

/** The credential of a connection: the payload of connection_init, by the names clients use. */
type ConnectionParams = Readonly<Record<string, unknown>> | undefined;

/** What graphql-ws carries from onSubscribe to its execution: our operation beside the arguments it knows. */
type Args = ExecutionArgs & {
  readonly run: () => Promise<ExecutionResult | AsyncGenerator<ExecutionResult>>;
};

const maxOperations = 100;
const pingMs = 12_000;
const initMs = 5_000;

const authorizationOf = (params: ConnectionParams): string | undefined => {
  const value = params?.['authorization'] ?? params?.['Authorization'];
  if (typeof value === 'string') return value;
  const apiKey = params?.['apiKey'];
  return typeof apiKey === 'string' ? `Bearer ${apiKey}` : undefined;
};

/** Serves graphql-ws (subprotocol graphql-transport-ws) at /graphql of an HTTP server; answers how to stop it. */
export function serveWebSocket(
  server: http.Server,
  parts: { deps: Deps; engine: Engine; subscribe: Subscriber; identifier: Identifier },
): () => Promise<void> {
  const { deps, engine, subscribe, identifier } = parts;
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload: deps.maxBodyBytes,
    handleProtocols: (offered) => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  });

  const served = useServer(
    {
      connectionInitWaitTimeout: initMs,
      onConnect: async ({ connectionParams }) => {
        try {
          await identifier.identify(authorizationOf(connectionParams));
          return true;
        } catch (error) {
          deps.log.info({ err: error }, 'connection refused');
          return false; // closes with 4403 Forbidden
        }
      },
      onSubscribe: async (context, id, params) => {
        if (Object.keys(context.subscriptions).length > maxOperations)
          return [
            coded(
              'TOO_MANY_OPERATIONS',
              `A connection may have ${maxOperations} operations at the same time.`,
            ),
          ];
        try {
          return await prepare({
            params,
            authorization: authorizationOf(context.connectionParams),
            signal: stopOf(context.extra, id),
          });
        } catch (error) {
          return [maskError(error, deps.log) as GraphQLError];
        }
      },
      execute: (args) => (args as Args).run() as Promise<ExecutionResult>,
      subscribe: (args) => (args as Args).run(),
      onComplete: (context, id) => stops.get(context.extra)?.get(id)?.abort(),
      onClose: (context) => stops.get(context.extra)?.forEach((stop) => stop.abort()),
    },
    sockets,
    pingMs,
  );

  // An operation's end, however it comes, must reach its upstream: the async iterator alone is not returned while it waits for an event.
  const stops = new WeakMap<object, Map<string, AbortController>>();
  function stopOf(socket: object, id: string): AbortSignal {
    const stop = new AbortController();
    const own = stops.get(socket) ?? new Map<string, AbortController>();
    stops.set(socket, own.set(id, stop));
    return stop.signal;
  }

  async function prepare(asked: {
    params: SubscribePayload;
    authorization: string | undefined;
    signal: AbortSignal;
  }) {
    const { params, authorization, signal } = asked;
    const { schema } = engine.current();
    const identity = await identifier.identify(authorization);
    const document: DocumentNode = parse(params.query, { maxTokens: deps.limits.tokens });
    const over = limitError(document, deps.limits);
    if (over) return [over];
    const faults = validate(schema, document, specifiedRules);
    if (faults.length) return faults;
    const kind = operationOf(document, params.operationName)?.operation;
    if (!kind) return [coded('BAD_USER_INPUT', 'The document has no such operation.')];
    const resolve = () => {
      identifier.forget(identity);
      return identifier.identify(authorization);
    };
    const operation: Operation = {
      document,
      operationName: params.operationName,
      variables: params.variables ?? {},
      context: operationContext({ identity, sign: deps.signInternal, signal, resolve }),
    };
    const run = async () => {
      if (kind === 'subscription') return subscribe(operation);
      const result = await engine.execute(operation);
      if (kind === 'mutation') identifier.forget(identity);
      return result;
    };
    return {
      schema,
      document,
      operationName: params.operationName,
      variableValues: params.variables,
      run,
    } as Args;
  }

  return async () => {
    await served.dispose();
  };
}

const coded = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });
