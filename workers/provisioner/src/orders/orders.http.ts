import { operatorScope } from '@agentstore/kernel/access';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { deliveriesOf } from './orders.store.ts';

/** For operators: which verified deliveries came about an order. Where an order stands is told to the control plane. */
export function orderRoutes(app: ServiceApp, room: Room): void {
  app.get('/internal/orders/:orderId/deliveries', async (c) =>
    json({
      deliveries: await room.db.transaction(operatorScope(c.var.caller), (tx) =>
        deliveriesOf(tx, c.req.param('orderId')),
      ),
    }),
  );
}
