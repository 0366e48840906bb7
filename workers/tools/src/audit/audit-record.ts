/** What is written of a decision, before anything is read or called; a refusal is whole with it. */
export interface AuditDecision {
  readonly id: string;
  readonly organizationId: string;
  readonly projectId: string;
  readonly instanceId: string;
  readonly runId: string;
  readonly tokenId: string;
  readonly channel: 'REST' | 'MCP';
  readonly toolId: string;
  /** sha256 of the connector definition that the policy pins. */
  readonly definition: string | null;
  readonly bindingId: string | null;
  /** `{instanceId}@{generation}` of the applied ConnectorPolicy, and the commit it was applied from. */
  readonly policyVersion: string | null;
  readonly policyCommit: string | null;
  readonly decision: 'ALLOWED' | 'DENIED';
  /** A refusal's code; `ALLOWED_BY_POLICY` otherwise. */
  readonly reason: string;
  /** sha256 of the arguments' canonical JSON. */
  readonly argumentsHash: string | null;
  /** Names of arguments, without their values. */
  readonly argumentNames: readonly string[];
  readonly idempotencyKeyHash: string | null;
  /** A tenant that was claimed outside the token and is not the token's. */
  readonly claimedTenantMismatch: boolean;
  readonly traceId: string | null;
  readonly client: string | null;
}

/** What is written when an allowed call has ended. */
export interface AuditCompletion {
  readonly id: string;
  readonly organizationId: string;
  /** `OK`, `TOOL_ERROR`, or the code with which the call ended. */
  readonly outcome: string;
  readonly secretVersion: number | null;
  readonly destination: { readonly origin: string; readonly address: string | null } | null;
  readonly method: string | null;
  readonly upstreamStatus: number | null;
  readonly attempts: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly latencyMs: number;
  readonly secretMs: number;
  /** Where the secret that was used came back, e.g. `body:base64`; it was masked there. */
  readonly redactions: readonly string[];
}

/** Where decisions are written down. Both throw when they cannot: then nothing is called, or the answer is not given. */
export interface AuditLog {
  decided(record: AuditDecision): Promise<void>;
  completed(record: AuditCompletion): Promise<void>;
}
