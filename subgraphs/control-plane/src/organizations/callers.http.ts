import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid } from '@agentstore/kernel/ids';
import { ProblemError } from '@agentstore/kernel/http/problem';
import type { Room } from '../deps.ts';
import { claimOrders } from '../orders/grant-order.ts';
import { acceptInvitations } from './invitations.store.ts';
import { membershipsOf, setSaleorUser, upsertUser } from './organizations.store.ts';

const body = z.object({
  issuer: z.string(),
  subject: z.string(),
  email: z.string(),
  emailVerified: z.boolean(),
  displayName: z.string().optional(),
});

/** For the router: who a verified token is here, and where they belong. */
export function callerRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/callers:resolve', async (c) => {
    const scope = serviceScope(c.var.caller, 'callers:resolve');
    const input = await readJson(c, body);
    const user = await room.db.transaction(scope, async (tx) => {
      const known = await upsertUser(tx, input);
      if (known.emailVerified) await acceptInvitations(tx, known);
      return known;
    });
    await claimOrders(room, user);
    const memberships = await room.db.transaction(scope, (tx) => membershipsOf(tx, user.id));
    return json({ userId: user.id, saleorUserId: user.saleorUserId, memberships });
  });
  app.put('/internal/users/:userId/saleor-user', async (c) => {
    const scope = serviceScope(c.var.caller, 'callers:resolve');
    const { saleorUserId } = await readJson(c, z.object({ saleorUserId: z.string().min(1).max(100) }));
    const userId = c.req.param('userId');
    if (!isUuid(userId))
      throw new ProblemError({ status: 400, code: 'BAD_REQUEST', title: 'The id is not a UUID.' });
    const user = await room.db.transaction(scope, (tx) => setSaleorUser(tx, userId, saleorUserId));
    if (user) await claimOrders(room, user);
    return json({});
  });
}
