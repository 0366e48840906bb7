import { operatorScope } from '@agentstore/kernel/access';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { deliveriesOf, ordersIn, type OrderProgress } from './orders.store.ts';

const states: readonly OrderProgress[] = ['DUE', 'WAITING', 'GRANTED', 'REVOKED', 'PARKED'];

/** For operators: where orders stand, and why, and which verified deliveries came about one. */
export function orderRoutes(app: ServiceApp, room: Room): void {
  app.get('/internal/orders', async (c) => {
    const wanted = c.req.query('state')?.toUpperCase();
    const state = states.find((one) => one === wanted) ?? null;
    return json({
      orders: await room.db.transaction(operatorScope(c.var.caller), (tx) => ordersIn(tx, state)),
    });
  });
  app.get('/internal/orders/:orderId/deliveries', async (c) =>
    json({
      deliveries: await room.db.transaction(operatorScope(c.var.caller), (tx) =>
        deliveriesOf(tx, c.req.param('orderId')),
      ),
    }),
  );
}
