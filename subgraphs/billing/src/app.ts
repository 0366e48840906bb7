import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import type { Deps, Room } from './deps.ts';
import { grantRoutes } from './grants/grants.http.ts';
import { rateCardRoutes } from './rate-cards/rate-cards.http.ts';
import { startExpirySweep, startPartitionKeeper } from './reservations/expire-reservations.task.ts';
import { reservationRoutes } from './reservations/reservations.http.ts';
import { buildSchema } from './schema.ts';
import { createWalletBell, walletChannel } from './wallets/wallet-bell.ts';

/** The billing subgraph: wallets, grants, reservations and the ledger. */
export function createApp(deps: Deps): App {
  const walletChanges = createChanges({ database: deps.db, channels: [walletChannel], log: deps.log });
  const room: Room = { ...deps, walletChanges, walletBell: createWalletBell(deps) };
  const graphql = createGraphqlHandler({
    schema: buildSchema(),
    deps: room,
    authenticate: deps.authenticate,
    log: deps.log,
  });
  const http = createServiceApp({
    log: deps.log,
    authenticate: deps.authenticate,
    ready: async () => void (await deps.db.statement('ready', 'select 1')),
    open: ['/graphql'],
  });
  http.all('/graphql', (c) => graphql(c.req.raw));
  reservationRoutes(http, room);
  grantRoutes(http, room);
  rateCardRoutes(http, room);
  let loops: Loop[] = [];
  return {
    name: 'billing',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await walletChanges.start();
      loops = [startExpirySweep(room), startPartitionKeeper(deps)];
    },
    async stop() {
      await walletChanges.stop();
      await Promise.all(loops.map((loop) => loop.stop()));
      await room.walletBell.stop();
    },
  };
}
