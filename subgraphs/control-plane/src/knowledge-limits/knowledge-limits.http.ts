import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { knowledgeLimits } from './knowledge-limit.ts';
import { knowledgeOf } from './knowledge-limits.store.ts';

/** For the knowledge subgraph: whose a project is, and how much it may hold. */
export function knowledgeLimitRoutes(app: ServiceApp, room: Room): void {
  app.get('/projects/:id/knowledge-limits', async (c) => {
    const scope = serviceScope(c.var.caller, 'instance:entitlements');
    const projectId = c.req.param('id');
    const found = isUuid(projectId)
      ? await room.db.transaction(scope, (tx) => knowledgeOf(tx, projectId))
      : undefined;
    if (!found)
      throw new ProblemError({ status: 404, code: 'PROJECT_NOT_FOUND', title: 'There is no such project.' });
    const { plans, ...project } = found;
    return json({ projectId, ...project, ...knowledgeLimits(plans, room.knowledge) });
  });
}
