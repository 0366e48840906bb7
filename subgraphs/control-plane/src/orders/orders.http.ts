import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { grantOrder, revokeOrder } from './grant-order.ts';
import { orderSnapshot } from './order.ts';
import { noteParkedOrder } from './parked-orders.store.ts';

const parkedOrder = z.object({
  saleorApiUrl: z.string(),
  orderId: z.string(),
  orderNumber: z.string().nullable(),
  /** Null: it waits no more. */
  reason: z.string().max(2_000).nullable(),
});

/** For the provisioner: what the shop's orders are worth here. */
export function orderRoutes(app: ServiceApp, room: Room): void {
  app.post('/integrations/saleor/order-paid', async (c) => {
    serviceScope(c.var.caller, 'order:grant');
    return json(await grantOrder(room, await readJson(c, orderSnapshot)));
  });
  app.post('/integrations/saleor/order-revoked', async (c) => {
    serviceScope(c.var.caller, 'order:grant');
    const body = z.object({
      saleorApiUrl: z.string(),
      orderId: z.string(),
      reason: z.enum(['REFUNDED', 'CANCELLED', 'CHARGED_BACK']),
    });
    return json(await revokeOrder(room, await readJson(c, body)));
  });
  app.post('/integrations/saleor/order-parked', async (c) => {
    const scope = serviceScope(c.var.caller, 'order:grant');
    const body = await readJson(c, parkedOrder);
    await room.db.transaction(scope, (tx) => noteParkedOrder(tx, body));
    return json({});
  });
}
