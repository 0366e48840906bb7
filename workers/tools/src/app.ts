import type { App } from '@agentstore/kernel/app';
import { bodyLimit } from '@agentstore/kernel/http/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import { callRoutes } from './calls/calls.http.ts';
import { refuseForeignHosts } from './calls/foreign-hosts.ts';
import { createToolCalls } from './calls/invoke-tool.ts';
import type { Deps } from './deps.ts';
import { openRoom } from './room.ts';

/** The tool gateway: the one way from a flow to an upstream, over REST and MCP. */
export function createApp(deps: Deps): App {
  const room = openRoom(deps);
  const calls = createToolCalls(room);
  const http = createServiceApp({
    log: deps.log,
    authenticate: deps.authenticate,
    ready: async () => {
      await deps.db.statement('ready', 'select 1');
      await deps.secrets.ready();
    },
    // Callers of tools are known by their run tokens, which the pipeline verifies.
    open: ['/v1/*', '/mcp', '/.well-known/*'],
  });
  const fetch = refuseForeignHosts(deps.settings, (request) => http.fetch(request));
  callRoutes(http, { calls, settings: deps.settings });
  // MERGE: mcpRoutes(http, { calls, settings: deps.settings }) of src/mcp/mcp.http.ts
  // MERGE: auditRoutes(http, deps) of src/audit/audit.http.ts
  return {
    name: 'tools',
    bodies: bodyLimit(deps.settings.maxBodyBytes),
    fetch: traced(fetch),
    start: () => room.start(),
    stop: () => room.stop(),
  };
}
