import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { startRelay } from '@agentstore/kernel/db/outbox';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import { apiKeyRoutes } from './api-keys/api-keys.http.ts';
import { connectorRoutes } from './connectors/connectors.http.ts';
import { startBindingSweep } from './connectors/finish-bindings.task.ts';
import { toolAccessRoutes } from './connectors/tool-access.http.ts';
import type { Deps, Room } from './deps.ts';
import { instanceRoutes } from './instances/instances.http.ts';
import { knowledgeLimitRoutes } from './knowledge-limits/knowledge-limits.http.ts';
import { catalogueRoutes } from './offerings/catalogue.http.ts';
import { orderRoutes } from './orders/orders.http.ts';
import { callerRoutes } from './organizations/callers.http.ts';
import { creditsGranted } from './organizations/make-workspace.ts';
import { buildSchema } from './schema.ts';
import { startSessionSweep } from './widgets/delete-old-sessions.task.ts';
import { widgetSessionRoutes } from './widgets/widget-sessions.http.ts';

/** The control-plane subgraph: organizations, the catalogue, and instances with their desired state. */
export function createApp(deps: Deps): App {
  const { db, log } = deps;
  const room: Room = {
    ...deps,
    instanceChanges: createChanges({ database: db, channels: ['control_plane_instance'], log }),
    desiredChanges: createChanges({ database: db, channels: ['control_plane_desired'], log }),
    toolAccessChanges: createChanges({ database: db, channels: ['control_plane_tool_access'], log }),
  };
  const graphql = createGraphqlHandler({
    schema: buildSchema(),
    deps: room,
    authenticate: deps.authenticate,
    log,
  });
  const http = createServiceApp({
    log,
    authenticate: deps.authenticate,
    ready: async () => void (await db.statement('ready', 'select 1')),
    open: ['/graphql'],
  });
  http.all('/graphql', (c) => graphql(c.req.raw));
  instanceRoutes(http, room);
  orderRoutes(http, room);
  catalogueRoutes(http, room);
  callerRoutes(http, room);
  apiKeyRoutes(http, room);
  connectorRoutes(http, room);
  toolAccessRoutes(http, room);
  knowledgeLimitRoutes(http, room);
  widgetSessionRoutes(http, room);
  const changes = [room.instanceChanges, room.desiredChanges, room.toolAccessChanges];
  let loops: Loop[] = [];
  return {
    name: 'control-plane',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await Promise.all(changes.map((one) => one.start()));
      const relay = startRelay({
        database: db,
        log,
        handlers: {
          [creditsGranted]: async ({ payload }) =>
            void (await deps.billing.call('POST', '/wallet/topup', payload)),
        },
      });
      loops = [relay, startBindingSweep(room), startSessionSweep(room)];
    },
    async stop() {
      await Promise.all([...changes, ...loops].map((one) => one.stop()));
    },
  };
}
