import { uuidv7 } from '@agentstore/kernel/ids';
import type { AuditCompletion, AuditDecision } from '../audit/audit-record.ts';

/** An allowed call of some run. */
export const someDecision = (more: Partial<AuditDecision> = {}): AuditDecision => ({
  id: uuidv7(),
  organizationId: uuidv7(),
  projectId: uuidv7(),
  instanceId: uuidv7(),
  runId: uuidv7(),
  tokenId: uuidv7(),
  channel: 'REST',
  toolId: 'orders__find_order',
  definition: 'd'.repeat(64),
  bindingId: uuidv7(),
  policyVersion: `${uuidv7()}@3`,
  policyCommit: 'c'.repeat(40),
  decision: 'ALLOWED',
  reason: 'ALLOWED_BY_POLICY',
  argumentsHash: 'a'.repeat(64),
  argumentNames: ['orderNumber'],
  idempotencyKeyHash: null,
  claimedTenantMismatch: false,
  traceId: null,
  client: null,
  ...more,
});

/** How that call ended. */
export const someCompletion = (
  of: Pick<AuditDecision, 'id' | 'organizationId'>,
  more: Partial<AuditCompletion> = {},
): AuditCompletion => ({
  id: of.id,
  organizationId: of.organizationId,
  outcome: 'OK',
  secretVersion: 2,
  destination: { origin: 'https://orders.example.com', address: '203.0.113.7' },
  method: 'GET',
  upstreamStatus: 200,
  attempts: 1,
  bytesOut: 40,
  bytesIn: 512,
  latencyMs: 31,
  secretMs: 2,
  redactions: [],
  ...more,
});
