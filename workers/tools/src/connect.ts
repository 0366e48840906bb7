import type { JSONWebKeySet } from 'jose';
import { createAppliedResources } from '@agentstore/kernel/applied-resources';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import { runTokenVerifier } from '@agentstore/kernel/auth/run-token';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { ServiceClient } from '@agentstore/kernel/service-client';
import type { SecretReader } from '@agentstore/kernel/vault/secret-store';
import { createAuditLog } from './audit/audit-log.ts';
import type { config } from './config.ts';
import type { Deps } from './deps.ts';
import { systemResolve } from './egress/egress-guard.ts';
import { mcpUpstream } from './upstream/mcp/mcp-upstream.ts';
import { createRagUpstream } from './upstream/rag/rag-upstream.ts';

/** A gateway's dependencies from its configuration and the services it calls (over HTTP, or in this process). */
export function connect(
  settings: ReturnType<typeof config.read>,
  services: {
    readonly log: Log;
    readonly db: Database;
    readonly authenticate: Authenticator;
    readonly controlPlane: ServiceClient;
    readonly gitops: ServiceClient;
    readonly knowledge: ServiceClient;
    /** `applied:read`, `connector:read`, `run:tool` and `knowledge:search`. */
    readonly serviceToken: () => Promise<string>;
    readonly ownerAt: (origin: string) => ServiceClient;
    readonly secrets: SecretReader;
  },
): Deps {
  const { log, db, serviceToken } = services;
  return {
    log,
    db,
    authenticate: services.authenticate,
    runTokens: runTokenVerifier(JSON.parse(settings.RUN_TOKEN_JWKS) as JSONWebKeySet, settings.TOOLS_ORIGIN),
    controlPlane: services.controlPlane,
    serviceToken,
    ownerAt: services.ownerAt,
    policies: createAppliedResources<unknown>({
      gitops: services.gitops,
      kind: 'ConnectorPolicy',
      token: serviceToken,
      log,
    }),
    secrets: services.secrets,
    audit: createAuditLog({
      db,
      log,
      deadlineMs: settings.AUDIT_DEADLINE_MS,
      mostWaiting: settings.AUDIT_MOST_WAITING,
    }),
    upstreams: {
      MCP: mcpUpstream({ entries: settings.DEFINITION_CACHE_ENTRIES }),
      RAG: createRagUpstream(services.knowledge),
    },
    resolve: systemResolve,
    settings: {
      publicOrigin: settings.TOOLS_ORIGIN,
      allowedHosts: settings.TOOLS_ALLOWED_HOSTS,
      maxBodyBytes: settings.TOOLS_MAX_BODY_BYTES,
      maxArgumentBytes: settings.TOOLS_MAX_ARGUMENT_BYTES,
      maxCalls: settings.TOOLS_MAX_CALLS,
      maxCallsPerRun: settings.TOOLS_MAX_CALLS_PER_RUN,
      mostCallsOfRun: settings.TOOLS_MOST_CALLS_OF_RUN,
      idempotencyHours: settings.IDEMPOTENCY_HOURS,
      secretCacheMs: settings.SECRET_CACHE_SECONDS * 1_000,
      secretCacheEntries: settings.SECRET_CACHE_ENTRIES,
      definitionCacheEntries: settings.DEFINITION_CACHE_ENTRIES,
      egress: {
        ports: settings.EGRESS_PORTS,
        privateOrigins: settings.EGRESS_PRIVATE_ORIGINS,
        maxAgents: settings.EGRESS_MAX_ORIGINS,
        connectionsPerOrigin: settings.EGRESS_CONNECTIONS_PER_ORIGIN,
        connectMs: settings.EGRESS_CONNECT_MS,
      },
    },
  };
}
