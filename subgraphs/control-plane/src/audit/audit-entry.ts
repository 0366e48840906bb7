import { z } from 'zod';

const decision = z.object({
  id: z.string(),
  at: z.coerce.date(),
  organizationId: z.string(),
  projectId: z.string(),
  instanceId: z.string(),
  runId: z.string(),
  tokenId: z.string(),
  channel: z.enum(['REST', 'MCP']),
  toolId: z.string(),
  definition: z.string().nullable(),
  bindingId: z.string().nullable(),
  policyVersion: z.string().nullable(),
  policyCommit: z.string().nullable(),
  decision: z.enum(['ALLOWED', 'DENIED']),
  reason: z.string(),
  argumentsHash: z.string().nullable(),
  argumentNames: z.array(z.string()),
  idempotencyKeyHash: z.string().nullable(),
  claimedTenantMismatch: z.boolean(),
  traceId: z.string().nullable(),
  client: z.string().nullable(),
});

const completion = z.object({
  at: z.coerce.date(),
  outcome: z.string(),
  secretVersion: z.number().nullable(),
  destination: z.object({ origin: z.string(), address: z.string().nullable() }).nullable(),
  method: z.string().nullable(),
  upstreamStatus: z.number().nullable(),
  attempts: z.number(),
  bytesOut: z.number(),
  bytesIn: z.number(),
  latencyMs: z.number(),
  secretMs: z.number(),
  redactions: z.array(z.string()),
});

/** An entry as the tool gateway answers it: what was decided, how it ended, and both in words. */
export const auditEntrySchema = z.object({
  decision,
  completion: completion.nullable(),
  meaning: z.string(),
});
export type AuditEntry = z.output<typeof auditEntrySchema>;
