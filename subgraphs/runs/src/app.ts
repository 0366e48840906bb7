import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import type { Deps, Room } from './deps.ts';
import { startPartitionKeeper } from './events/keep-partitions.task.ts';
import { createRunFeed } from './events/run-feed.ts';
import { runRoutes } from './runs/runs.http.ts';
import { startRunSweep } from './runs/sweep-runs.task.ts';
import { buildSchema } from './schema.ts';

/** The runs subgraph: conversations, runs and the log of their events. */
export function createApp(deps: Deps): App {
  const { db, log } = deps;
  const room: Room = {
    ...deps,
    feed: createRunFeed({ database: db, log, limits: deps.subscriberQueue, pollMs: deps.sweepEveryMs }),
    queueChanges: createChanges({ database: db, channels: ['runs_queue'], log, pollMs: 1_000 }),
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
  runRoutes(http, room);
  let loops: Loop[] = [];
  return {
    name: 'runs',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await Promise.all([room.feed.start(), room.queueChanges.start()]);
      loops = [startRunSweep(deps), startPartitionKeeper(deps)];
    },
    async stop() {
      await Promise.all([room.feed.stop(), room.queueChanges.stop(), ...loops.map((loop) => loop.stop())]);
    },
  };
}
