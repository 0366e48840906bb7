import { z } from 'zod';
import { operatorScope, serviceScope } from '@agentstore/kernel/access';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { grantOrder, revokeOrder } from './grant-order.ts';
import { orderSnapshot } from './order.ts';
import { parkedLines } from './orders.store.ts';

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
      reason: z.enum(['REFUNDED', 'CANCELLED']),
    });
    return json(await revokeOrder(room, await readJson(c, body)));
  });
  app.get('/internal/parked-lines', async (c) =>
    json({ lines: await room.db.transaction(operatorScope(c.var.caller), parkedLines) }),
  );
}
