import type { App } from '@agentstore/kernel/app';
import { bodyLimit } from '@agentstore/kernel/http/server';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import { auditRoutes } from './audit/audit.http.ts';
import { createCallKeys } from './calls/call-keys.store.ts';
import { createCallLimits } from './calls/call-limits.ts';
import { callRoutes } from './calls/calls.http.ts';
import { refuseForeignHosts } from './calls/foreign-hosts.ts';
import { createToolCalls } from './calls/invoke-tool.ts';
import { createRunOwner } from './calls/run-owner.ts';
import { startCallKeySweep } from './calls/sweep-call-keys.task.ts';
import { createConnectorDefinitions } from './connectors/connector-definitions.ts';
import type { Deps } from './deps.ts';
import { createEgressGuard } from './egress/egress-guard.ts';
import { mcpRoutes } from './mcp/mcp.http.ts';
import { createObservedBindings } from './secrets/observed-bindings.ts';
import { createSecretCache } from './secrets/secret-cache.ts';
import { createToolAccess } from './secrets/tool-access.ts';
import { createRestUpstream } from './upstream/rest/rest-upstream.ts';

/** The tool gateway: the one way from a flow to an upstream, over REST and MCP. */
export function createApp(deps: Deps): App {
  const { log, db, controlPlane, settings, policies } = deps;
  const access = createToolAccess({
    controlPlane,
    token: deps.serviceToken,
    log,
    onSecretChanged: (bindingId) => secrets.drop(bindingId),
    onReconnect: () => secrets.clear(),
  });
  const secrets = createSecretCache({
    reader: deps.secrets,
    ttlMs: settings.secretCacheMs,
    entries: settings.secretCacheEntries,
    isCurrent: () => settings.secretCacheMs > 0 && access.isCurrent(),
  });
  const keys = createCallKeys(db, settings.idempotencyHours);
  const observed = createObservedBindings(controlPlane, log);
  const egress = createEgressGuard(settings.egress, deps.resolve);
  const upstreams = { ...deps.upstreams, REST: createRestUpstream() };
  const calls = createToolCalls({
    log,
    runTokens: deps.runTokens,
    policies,
    definitions: createConnectorDefinitions(controlPlane, settings.definitionCacheEntries),
    access,
    limits: createCallLimits(settings),
    keys,
    audit: deps.audit,
    owner: createRunOwner(deps.ownerAt),
    secrets,
    observed,
    egress,
    upstreams,
    maxArgumentBytes: settings.maxArgumentBytes,
  });

  const http = createServiceApp({
    log,
    authenticate: deps.authenticate,
    // Tools that need no secret are served while the secret store is away.
    ready: async () => void (await db.statement('ready', 'select 1')),
    // Callers of tools are known by their run tokens, which the pipeline verifies.
    open: ['/v1/*', '/mcp', '/.well-known/*'],
  });
  callRoutes(http, { calls, publicOrigin: settings.publicOrigin });
  mcpRoutes(http, { calls, log, settings });
  auditRoutes(http, { db });

  let sweep: Loop | undefined;
  return {
    name: 'tools',
    bodies: bodyLimit(settings.maxBodyBytes),
    fetch: traced(refuseForeignHosts(settings, (request) => http.fetch(request))),
    start: () => {
      policies.start();
      access.start();
      observed.start();
      sweep ??= startCallKeySweep(keys, log);
      return Promise.resolve();
    },
    async stop() {
      await Promise.all([policies.stop(), access.stop(), observed.stop(), sweep?.stop()]);
      secrets.clear();
      await Promise.all([...Object.values(upstreams).map((upstream) => upstream.close()), egress.close()]);
    },
  };
}
