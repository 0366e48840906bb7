import type { App } from '@agentstore/kernel/app';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import type { Deps } from './deps.ts';
import { pollOrders, pollShops } from './orders/poll-orders.task.ts';
import { startOrderWork } from './orders/work-orders.task.ts';
import { createRoom } from './room.ts';
import { saleorRoutes } from './webhooks/webhooks.http.ts';

/** The provisioner: the Saleor app that turns paid orders into instances and credits. */
export function createApp(deps: Deps): App {
  const { db, log } = deps;
  const room = createRoom(deps);
  const http = createServiceApp({
    log,
    authenticate: deps.authenticate,
    ready: async () => void (await db.statement('ready', 'select 1')),
    open: ['/api/manifest', '/api/register', '/webhooks/*'],
  });
  saleorRoutes(http, room);
  let work: Loop | undefined;
  return {
    name: 'provisioner',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await room.orderChanges.start();
      work = startOrderWork(room);
      await deps.queue.work(pollShops, () => pollOrders(room));
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
