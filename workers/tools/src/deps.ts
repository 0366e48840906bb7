import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { RunTokenVerifier } from '@agentstore/kernel/auth/run-token';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { ServiceClient } from '@agentstore/kernel/service-client';
import type { SecretReader } from '@agentstore/kernel/vault/secret-store';
import type { AuditLog } from './audit/audit-record.ts';
import type { Resolve } from './egress/egress-guard.ts';
import type { AppliedPolicies } from './policy/connector-policy.ts';
import type { ToolSettings } from './settings.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What the gateway needs from outside. */
export interface Deps {
  readonly log: Log;
  /** Schema `tools`. */
  readonly db: Database;
  /** Of services, for the internal REST: callers of tools are known by their run tokens alone. */
  readonly authenticate: Authenticator;
  readonly runTokens: RunTokenVerifier;
  readonly controlPlane: ServiceClient;
  /** This service's own access token, for the watch, whose answer is a stream. */
  readonly serviceToken: () => Promise<string>;
  /** The runner that owns a run, by the origin in the run's token. */
  readonly ownerAt: (origin: string) => ServiceClient;
  /** Applied ConnectorPolicies. */
  readonly policies: AppliedPolicies;
  readonly secrets: SecretReader;
  readonly audit: AuditLog;
  /** Adapters of the kinds of connectors that this gateway serves besides REST. */
  readonly upstreams: Readonly<Partial<Record<'MCP' | 'RAG', Upstream>>>;
  readonly resolve: Resolve;
  readonly settings: ToolSettings;
}
