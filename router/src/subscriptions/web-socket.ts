import type http from 'node:http';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { maskError } from '@agentstore/kernel/graphql/server';
import { withTrace } from '@agentstore/kernel/http/trace';
import type { Deps } from '../deps.ts';
import { operationOf } from '../execution/admit-operation.ts';
import type { Documents } from '../execution/documents.ts';
import type { Engine } from '../execution/engine.ts';
import { operationContext } from '../execution/operation-context.ts';
import type { Identifier, Identity } from '../identity/identify.ts';
import { onConnection, watchVisitor } from '../widget/watch-visitor.ts';
import type { Subscriber } from './subscribe.ts';

/** What graphql-ws carries from onSubscribe to its execution: our operation beside the arguments it knows. */
type Args = ExecutionArgs & {
  readonly run: () => Promise<ExecutionResult | AsyncGenerator<ExecutionResult>>;
};

/** A connection as graphql-ws describes it to our hooks. */
interface Connection {
  readonly connectionParams?: Readonly<Record<string, unknown>>;
  readonly extra: Extra;
}

const maxOperations = 100;
const pingMs = 12_000;
const initMs = 5_000;
const farewellMs = 2_000;

/** The credential of a connection: from the payload of connection_init, by the names clients use, else from the header of the upgrade. */
function authorizationOf({ connectionParams: params, extra }: Connection): string | undefined {
  const value = params?.['authorization'] ?? params?.['Authorization'];
  if (typeof value === 'string') return value;
  const apiKey = params?.['apiKey'];
  if (typeof apiKey === 'string') return `Bearer ${apiKey}`;
  return extra.request.headers.authorization;
}

/** Serves graphql-ws (subprotocol graphql-transport-ws) at /graphql of an HTTP server; answers how to stop it. */
export function serveWebSocket(
  server: http.Server,
  parts: {
    deps: Deps;
    documents: Documents;
    engine: Engine;
    subscriber: Subscriber;
    identifier: Identifier;
  },
): () => Promise<void> {
  const { deps, documents, engine, subscriber, identifier } = parts;
  const sockets = new WebSocketServer({ server, path: '/graphql', maxPayload: deps.maxBodyBytes });
  // The end of a connection is the end of all that runs for it.
  const endings = new WeakMap<object, AbortController>();
  const endingOf = ({ extra: { socket } }: Connection): AbortController => {
    const known = endings.get(socket) ?? new AbortController();
    endings.set(socket, known);
    return known;
  };

  const served = useServer<Record<string, unknown>, Partial<Extra>>(
    {
      connectionInitWaitTimeout: initMs,
      onConnect: async (context) => {
        const connection = context as unknown as Connection;
        const { socket, request } = connection.extra;
        const ask = (anew: boolean): Promise<Identity> =>
          onConnection(identifier, socket).identify(authorizationOf(connection), {
            anew,
            origin: request.headers.origin,
          });
        try {
          watchVisitor(await ask(false), {
            socket,
            recheckMs: deps.streams.recheckMs,
            ask: () => ask(true),
          });
          return true;
        } catch (error) {
          deps.log.info({ err: error }, 'connection refused');
          // Who asks cannot be found out now: try again later. Otherwise 4403 Forbidden.
          if ((error as { code?: string }).code !== 'UNAUTHENTICATED') socket.close(1013, 'Try again later');
          return false;
        }
      },
      onSubscribe: async (context, _id, params) => {
        if (Object.keys(context.subscriptions).length > maxOperations)
          return [
            coded(
              'TOO_MANY_OPERATIONS',
              `A connection may have ${maxOperations} operations at the same time.`,
            ),
          ];
        try {
          return prepare(params, context as unknown as Connection);
        } catch (error) {
          return [plain(maskError(error, deps.log) as GraphQLError)];
        }
      },
      execute: (args) => (args as Args).run() as Promise<ExecutionResult>,
      subscribe: (args) => (args as Args).run(),
      onClose: (context) => endingOf(context as unknown as Connection).abort(),
    },
    sockets,
    pingMs,
  );

  function prepare(params: SubscribePayload, connection: Connection): Args | readonly GraphQLError[] {
    const { schema } = engine.current();
    const document = documents.parse(params.query);
    const faults = documents.faults(schema, document);
    if (faults.length) return faults.map(plain);
    const node = operationOf(document, params.operationName);
    if (!node) return [coded('OPERATION_RESOLUTION_FAILURE', 'Name one operation of the document.')];
    const run = async () => {
      try {
        const context = await operationContext({
          identifier: onConnection(identifier, connection.extra.socket),
          sign: deps.signInternal,
          authorization: authorizationOf(connection),
          origin: connection.extra.request.headers.origin,
          signal: endingOf(connection).signal,
        });
        const operation = {
          document,
          operationName: params.operationName,
          variables: params.variables ?? {},
          context,
        };
        return node.operation === 'subscription'
          ? await subscriber.subscribe(operation)
          : await engine.execute(operation);
      } catch (error) {
        return { errors: [maskError(error, deps.log) as GraphQLError] };
      }
    };
    return {
      schema,
      document,
      operationName: params.operationName,
      variableValues: params.variables,
      run: () => withTrace(null, run), // each operation is a trace of its own, the connection is not
    } as Args;
  }

  return async () => {
    const terminate = setTimeout(() => sockets.clients.forEach((socket) => socket.terminate()), farewellMs);
    await served.dispose();
    clearTimeout(terminate);
  };
}

const coded = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });

/** An error without what only HTTP has a use for. */
function plain(error: GraphQLError): GraphQLError {
  const { http: _http, ...extensions } = error.extensions as { http?: unknown };
  return new GraphQLError(error.message, {
    ...(error.nodes ? { nodes: error.nodes } : {}),
    ...(error.source ? { source: error.source } : {}),
    ...(error.positions ? { positions: error.positions } : {}),
    extensions,
  });
}
