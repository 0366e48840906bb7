import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { actorOf } from '@agentstore/kernel/caller';
import { readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { amountSchema } from '../amounts.http.ts';
import type { Room } from '../deps.ts';
import { respond } from '../respond.ts';
import { clawBack, topUp } from './grants.store.ts';

const topUpBody = z.object({
  organizationId: z.uuid(),
  credits: amountSchema,
  kind: z.enum(['PAID', 'PLAN', 'TRIAL', 'PROMO']),
  key: z.string().min(1).max(300),
  expiresAfterDays: z.int().min(1).max(3_650).optional(),
  order: z
    .object({ saleorApiUrl: z.string().max(300), orderId: z.string().max(200), lineId: z.string().max(200) })
    .optional(),
});
const clawBackBody = z.object({
  organizationId: z.uuid(),
  key: z.string().min(1).max(300),
  topUpKey: z.string().min(1).max(300),
});

/** Credits in (orders, plans, trials) and back out again (revoked orders). */
export function grantRoutes(app: ServiceApp, room: Room): void {
  app.post('/wallet/topup', async (c) => {
    serviceScope(c.var.caller, 'wallet:topup');
    const body = await readJson(c, topUpBody);
    const outcome = await topUp(room.db, body, actorOf(c.var.caller));
    room.walletBell.ring(body.organizationId);
    return respond(outcome);
  });
  app.post('/wallet/clawback', async (c) => {
    serviceScope(c.var.caller, 'wallet:topup');
    const body = await readJson(c, clawBackBody);
    const outcome = await clawBack(room.db, body, actorOf(c.var.caller));
    room.walletBell.ring(body.organizationId);
    return respond(outcome);
  });
}
