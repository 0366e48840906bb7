import type http from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import type { ExecutionArgs } from 'graphql';
import { WebSocketServer } from 'ws';
import type { Log } from '@agentstore/kernel/log';
import type { RouterContext, RouterYoga } from '../graphql.http.ts';
import type { Identifier } from '../identity/identify.ts';

/** The credential of a connection: the payload of connection_init, by the names clients use. */
type ConnectionParams = Readonly<Record<string, unknown>> | undefined;

const maxPayload = 262_144;
const maxOperations = 100;
const pingMs = 12_000;

const authorizationOf = (params: ConnectionParams): string | undefined => {
  const value = params?.['authorization'] ?? params?.['Authorization'];
  if (typeof value === 'string') return value;
  const apiKey = params?.['apiKey'];
  return typeof apiKey === 'string' ? `Bearer ${apiKey}` : undefined;
};

/** Serves graphql-ws (graphql-transport-ws) at /graphql of an HTTP server. Returns how to stop: sockets close with 1001. */
export function serveWebSocket(
  server: http.Server,
  parts: { yoga: RouterYoga; identifier: Identifier; log: Log },
): () => Promise<void> {
  const { yoga, identifier, log } = parts;
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload,
    handleProtocols: (offered) => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  });
  const operations = new WeakMap<object, number>();

  const served = useServer<Record<string, unknown>, { execute?: unknown }>(
    {
      connectionInitWaitTimeout: 5_000,
      onConnect: async ({ connectionParams }) => {
        try {
          await identifier.identify(authorizationOf(connectionParams));
          return true;
        } catch (error) {
          log.info({ err: error }, 'connection refused');
          return false; // closes with 4403 Forbidden
        }
      },
      execute: (args) => (args as ExecutionArgs & { run: (args: unknown) => never }).run(args),
      subscribe: (args) => (args as ExecutionArgs & { run: (args: unknown) => never }).run(args),
      onSubscribe: async (context, _id, params) => {
        const count = (operations.get(context) ?? 0) + 1;
        if (count > maxOperations) context.extra.socket.close(4429, 'Too many operations');
        operations.set(context, count);
        const stop = new AbortController();
        context.extra.socket.once('close', () => stop.abort());
        const authorization = authorizationOf(context.connectionParams);
        const enveloped = yoga.getEnveloped({
          authorization,
          params,
          request: new Request('http://socket/graphql', { signal: stop.signal }),
        } as never);
        const args = {
          schema: enveloped.schema as ExecutionArgs['schema'],
          operationName: params.operationName,
          document: enveloped.parse(params.query) as ExecutionArgs['document'],
          variableValues: params.variables,
          contextValue: (await enveloped.contextFactory()) as RouterContext,
        };
        const errors = enveloped.validate(args.schema, args.document) as readonly never[];
        if (errors.length) return errors;
        const isSubscription = args.document.definitions.some(
          (one) => one.kind === 'OperationDefinition' && one.operation === 'subscription',
        );
        return { ...args, run: isSubscription ? enveloped.subscribe : enveloped.execute } as never;
      },
      onComplete: (context) => void operations.set(context, Math.max(0, (operations.get(context) ?? 1) - 1)),
    },
    sockets,
    pingMs,
  );
  return async () => void (await served.dispose());
}
