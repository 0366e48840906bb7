import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { citationOf } from './citation.ts';
import { searchBounds, searchForProject } from './search-knowledge.ts';

const body = z.object({
  organizationId: z.uuid(),
  projectId: z.uuid(),
  /** All of the project, oldest first and as many, when absent. */
  knowledgeBaseIds: z.array(z.uuid()).min(1).max(searchBounds.knowledgeBases).optional(),
  query: z.string().trim().min(1).max(searchBounds.queryCharacters),
  limit: z.int().min(1).max(searchBounds.citations).default(5),
});

/** For the tool gateway: retrieval on behalf of a project. */
export function searchRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/knowledge:search', async (c) => {
    const scope = serviceScope(c.var.caller, 'knowledge:search');
    const citations = await searchForProject(room, scope, await readJson(c, body));
    return json({ citations: citations.map(citationOf) });
  });
}
