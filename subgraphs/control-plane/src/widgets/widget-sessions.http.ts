import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { checkSession, endSession } from './check-session.ts';
import { initSession } from './init-session.ts';
import type { SessionRefusal } from './widget-session.ts';

const statusOf: Readonly<Record<SessionRefusal['code'], number>> = {
  WIDGET_NOT_FOUND: 404,
  ORIGIN_NOT_ALLOWED: 403,
  INSTANCE_PAUSED: 409,
  INSTANCE_NOT_READY: 409,
  IDENTITY_INVALID: 401,
  SESSION_REVOKED: 401,
};

const initBody = z.object({
  widgetKey: z.string().max(100),
  origin: z.string().max(300),
  handle: z.string().max(200).optional(),
  identity: z.string().max(8_192).optional(),
});

/** For the router: sessions of visitors (kernel/src/widget-session.ts says what they are). */
export function widgetSessionRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/widget-sessions:init', async (c) => {
    const scope = serviceScope(c.var.caller, 'widget:session');
    const outcome = await initSession(room, scope, await readJson(c, initBody));
    if (!outcome.ok) throw problem(outcome.error);
    return json(outcome.value);
  });
  app.post('/internal/widget-sessions:verify', async (c) => {
    const scope = serviceScope(c.var.caller, 'widget:session');
    const { sessionId } = await readJson(c, z.object({ sessionId: z.uuid() }));
    const fault = await checkSession(room, scope, sessionId);
    if (fault) throw problem(fault);
    return c.body(null, 204);
  });
  app.post('/internal/widget-sessions:end', async (c) => {
    const scope = serviceScope(c.var.caller, 'widget:session');
    const { handle } = await readJson(c, z.object({ handle: z.string().max(200) }));
    await endSession(room, scope, handle);
    return c.body(null, 204);
  });
}

const problem = ({ code, message, ...facts }: SessionRefusal): ProblemError =>
  new ProblemError({ ...facts, status: statusOf[code], code, title: message });
