import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { hashApiKey } from './api-key.ts';
import { liveApiKey } from './api-keys.store.ts';

/** For the router: whose key this is. */
export function apiKeyRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/api-keys:verify', async (c) => {
    const scope = serviceScope(c.var.caller, 'callers:resolve');
    const { key } = await readJson(c, z.object({ key: z.string().max(200) }));
    const found = await room.db.transaction(scope, (tx) => liveApiKey(tx, hashApiKey(key)));
    if (!found)
      throw new ProblemError({
        status: 401,
        code: 'API_KEY_INVALID',
        title: 'The API key is unknown, revoked or expired.',
      });
    return json({
      apiKeyId: found.id,
      organizationId: found.organizationId,
      name: found.name,
      scopes: found.scopes,
    });
  });
}
