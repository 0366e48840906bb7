import type http from 'node:http';
import type { App } from '@agentstore/kernel/app';
import { createAppliedResources } from '@agentstore/kernel/applied-resources';
import { anonymous } from '@agentstore/kernel/caller';
import { createServiceApp, json, traced } from '@agentstore/kernel/http/service-app';
import type { Deps } from './deps.ts';
import { createDocuments } from './execution/documents.ts';
import { createEngine } from './execution/engine.ts';
import { createGraphqlEndpoint } from './graphql.http.ts';
import { graphiqlRoutes } from './graphiql/graphiql.http.ts';
import { createIdentifier } from './identity/identify.ts';
import { userInfo } from './identity/userinfo.http.ts';
import type { RouteSpec } from './policy/route-spec.ts';
import { limitBody } from './policy/limit-body.ts';
import { restRoutes } from './rest/rest.http.ts';
import { createSubscriber } from './subscriptions/subscribe.ts';
import { serveWebSocket } from './subscriptions/web-socket.ts';
import { widgetFileRoutes } from './widget/widget-files.http.ts';
import { widgetSessionRoutes } from './widget/widget-session.http.ts';

/** The router also serves WebSockets, which need the HTTP server itself. */
export interface RouterApp extends App {
  /** Serves graphql-ws at /graphql of this server, which also gets `fetch`. Call once, when it listens. */
  attachWebSocket(server: http.Server): void;
}

/**
 * The router: one public graph over our subgraphs and Saleor, with REST beside it. `serviceToken` is its own access token, for gitops.
 * `stop` ends subscriptions with a resumable error; call it together with the HTTP server's close, which waits for streams.
 */
export function createApp(deps: Deps, serviceToken: () => Promise<string>): RouterApp {
  const documents = createDocuments(deps);
  const engine = createEngine(deps);
  const subscriber = createSubscriber(deps, engine);
  const identifier = createIdentifier(deps);
  const routes = createAppliedResources<RouteSpec>({
    gitops: deps.gitops,
    kind: 'GatewayRoute',
    token: serviceToken,
    log: deps.log,
  });
  const graphql = createGraphqlEndpoint(deps, { documents, engine, subscriber, identifier });
  const app = createServiceApp({
    log: deps.log,
    authenticate: async () => anonymous, // each face below verifies its own credentials
    ready: async () => {
      engine.current();
      const parts = [...Object.values(deps.subgraphs), deps.gitops];
      const answers = await Promise.allSettled(
        parts.map((part) => part.call('GET', '/readiness', undefined, { deadlineMs: 2_000 })),
      );
      const down = parts
        .filter((_part, index) => answers[index]!.status === 'rejected')
        .map(({ name }) => name);
      if (down.length) throw new Error(`not ready: ${down.join(', ')}`);
    },
  });
  app.all('/graphql', (c) => graphql(c.req.raw));
  app.get('/oidc/userinfo', (c) => userInfo(deps, c.req.raw));
  app.get('/.well-known/internal-jwks.json', () => json(deps.internalJwks));
  graphiqlRoutes(app, deps);
  widgetSessionRoutes(app, deps);
  widgetFileRoutes(app, deps);
  restRoutes(app, { deps, engine, subscriber, identifier, routes });
  app.get('/', () =>
    json({
      name: 'Agent Store',
      graphql: `${deps.publicOrigin}/graphql`,
      ...(deps.graphiql ? { graphiql: `${deps.publicOrigin}/graphiql` } : {}),
      rest: `${deps.publicOrigin}/v1/openapi.json`,
      health: `${deps.publicOrigin}/readiness`,
    }),
  );
  let closeSockets: (() => Promise<void>) | undefined;
  return {
    name: 'router',
    bodies: limitBody(deps.maxBodyBytes),
    fetch: traced((request) => app.fetch(request)),
    attachWebSocket(server) {
      closeSockets = serveWebSocket(server, { deps, documents, engine, subscriber, identifier });
    },
    async start() {
      await engine.start();
      routes.start();
    },
    async stop() {
      await subscriber.stop();
      const close = closeSockets;
      closeSockets = undefined;
      await close?.();
      await routes.stop();
      await engine.stop();
    },
  };
}
