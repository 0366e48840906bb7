import type { RunTokenVerifier } from '@agentstore/kernel/auth/run-token';
import type { Log } from '@agentstore/kernel/log';
import type { AuditLog } from './audit/audit-record.ts';
import type { CallKeys } from './calls/call-keys.ts';
import type { CallLimits } from './calls/call-limits.ts';
import type { RunOwner } from './calls/run-owner.ts';
import type { ConnectorDefinitions } from './connectors/connector-definitions.ts';
import type { EgressGuard } from './egress/egress-guard.ts';
import type { AppliedPolicies } from './policy/connector-policy.ts';
import type { ObservedBindings } from './secrets/observed-bindings.ts';
import type { SecretCache } from './secrets/secret-cache.ts';
import type { ToolAccess } from './secrets/tool-access.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What the pipeline works with: ports, so that each step can be seen in a test. */
export interface Room {
  readonly log: Log;
  readonly runTokens: RunTokenVerifier;
  readonly policies: Pick<AppliedPolicies, 'resourceOf'>;
  readonly definitions: ConnectorDefinitions;
  readonly access: Pick<ToolAccess, 'isRevoked' | 'phaseOf' | 'during'>;
  readonly limits: CallLimits;
  readonly keys: Pick<CallKeys, 'claim' | 'keep' | 'free'>;
  readonly audit: AuditLog;
  readonly owner: RunOwner;
  readonly secrets: Pick<SecretCache, 'lease' | 'drop'>;
  readonly observed: Pick<ObservedBindings, 'used'>;
  readonly egress: Pick<EgressGuard, 'check' | 'route'>;
  readonly upstreams: Readonly<Partial<Record<'REST' | 'MCP' | 'RAG', Upstream>>>;
  readonly maxArgumentBytes: number;
}
