import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import type { Deps, Room } from './deps.ts';
import { startIngests } from './documents/ingest-documents.task.ts';
import { desiredStateRoutes } from './knowledge-bases/desired-state.http.ts';
import { readProjectLimits } from './knowledge-bases/project-limits.ts';
import { buildSchema } from './schema.ts';
import { searchRoutes } from './search/search.http.ts';
import { startSweep } from './sweep.task.ts';

/** The knowledge subgraph: knowledge bases, their documents, and what is found in them. */
export function createApp(deps: Deps): App {
  const { db, log } = deps;
  const room: Room = {
    ...deps,
    projectLimits: readProjectLimits(deps.controlPlane, deps.limitsKeptMs),
    documentChanges: createChanges({ database: db, channels: ['rag_document'], log, pollMs: deps.pollMs }),
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
    ready: async () => {
      await db.statement('ready', 'select 1');
      if (!(await deps.engine.ready())) throw new Error('The search engine gives no answer.');
    },
    open: ['/graphql'],
  });
  http.all('/graphql', (c) => graphql(c.req.raw));
  searchRoutes(http, room);
  desiredStateRoutes(http, room);
  let loops: Loop[] = [];
  return {
    name: 'rag',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await room.documentChanges.start();
      loops = [startIngests(room), startSweep(room)];
    },
    async stop() {
      await Promise.all([room.documentChanges.stop(), ...loops.map((loop) => loop.stop())]);
    },
  };
}
