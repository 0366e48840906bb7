import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { actorOf } from '@agentstore/kernel/caller';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { microCreditsSchema, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { amountSchema, mostAtOnce, quantitySchema } from '../amounts.http.ts';
import type { Room } from '../deps.ts';
import { respond } from '../respond.ts';
import { authorizeRun, extendRun, releaseRun, settleRun } from './reservations.store.ts';

const usage = z
  .array(
    z.object({
      dimension: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/),
      quantity: quantitySchema,
    }),
  )
  .max(50);
const run = { organizationId: z.uuid(), runId: z.uuid() };
/** A maximum above what any run can cost is none. */
const maxCharge = microCreditsSchema
  .refine((amount) => amount > 0n, 'more than zero')
  .transform((amount) => (amount > mostAtOnce ? mostAtOnce : amount));
const ttlSeconds = z.int().min(5).max(3_600);

const authorizeBody = z.object({
  ...run,
  instanceId: z.uuid(),
  offeringId: z.uuid(),
  amount: amountSchema.optional(),
  maxCharge: maxCharge.optional(),
  ttlSeconds,
});
const settleBody = z.object({ ...run, usage });
const releaseBody = z.object({ ...run, reason: z.string().max(200) });
const extendBody = z.object({
  ...run,
  amount: microCreditsSchema.refine((amount) => amount >= 0n && amount <= mostAtOnce, 'from 0 to 10^15'),
  usage,
  cover: usage.optional(),
  seq: z.int().min(0).max(2_147_483_647),
  ttlSeconds,
});

/** The four commands on a reservation, for the services that start and execute runs. */
export function reservationRoutes(app: ServiceApp, room: Room): void {
  app.post('/billing/authorize', async (c) => {
    serviceScope(c.var.caller, 'billing:authorize');
    const body = await readJson(c, authorizeBody);
    const { ttlSeconds: _ttl, ...identity } = body;
    const authorized = await authorizeRun(room.db, { ...body, bodyHash: hashOf(identity) });
    room.walletBell.ring(body.organizationId);
    return respond(authorized);
  });
  app.post('/billing/settle', async (c) => {
    serviceScope(c.var.caller, 'billing:settle');
    const body = await readJson(c, settleBody);
    const settled = await settleRun(room.db, { ...body, actor: actorOf(c.var.caller) });
    room.walletBell.ring(body.organizationId);
    if (settled.ok && settled.value.differs)
      room.log.warn({ runId: body.runId }, 'settled again at another usage; the first answer stands');
    return respond(settled);
  });
  app.post('/billing/release', async (c) => {
    serviceScope(c.var.caller, 'billing:settle');
    const { organizationId, runId, reason } = await readJson(c, releaseBody);
    room.log.info({ runId, reason }, 'reservation released');
    const released = await releaseRun(room.db, { organizationId, runId });
    room.walletBell.ring(organizationId);
    return respond(released);
  });
  app.post('/billing/extend', async (c) => {
    serviceScope(c.var.caller, 'billing:settle');
    const body = await readJson(c, extendBody);
    const extended = await extendRun(room.db, body);
    room.walletBell.ring(body.organizationId);
    if (extended.ok && extended.value.differs)
      room.log.warn(
        { runId: body.runId, seq: body.seq },
        'another checkpoint under the same seq; the first stands',
      );
    return respond(extended);
  });
}
