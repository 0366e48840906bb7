import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import type { Deps, Room } from './deps.ts';
import { orderRoutes } from './orders/orders.http.ts';
import { pollOrders, pollShops, startOrderWork } from './orders/work-orders.task.ts';
import { postgresApl } from './saleor-app/postgres-apl.store.ts';
import { saleorRoutes } from './webhooks/webhooks.http.ts';

/** The provisioner: the Saleor app that turns paid orders into instances and credits. */
export function createApp(deps: Deps): App {
  const { db, log } = deps;
  const room: Room = {
    ...deps,
    apl: postgresApl(db, deps.tokenKey),
    orderChanges: createChanges({ database: db, channels: ['provisioner_order'], log }),
  };
  const http = createServiceApp({
    log,
    authenticate: deps.authenticate,
    ready: async () => void (await db.statement('ready', 'select 1')),
    open: ['/api/manifest', '/api/register', '/webhooks/*'],
  });
  saleorRoutes(http, room);
  orderRoutes(http, room);
  let work: Loop | undefined;
  return {
    name: 'provisioner',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await room.orderChanges.start();
      work = startOrderWork(room);
      await deps.queue.work(pollShops, async () => void (await pollOrders(room)));
      await deps.queue.schedule(pollShops, '* * * * *', {});
      void pollOrders(room).catch((error: unknown) =>
        log.warn({ err: error }, 'first poll failed; the schedule goes on'),
      );
    },
    async stop() {
      await Promise.all([room.orderChanges.stop(), work?.stop()]);
    },
  };
}
