import { hashOf } from '@agentstore/kernel/canonical-json';
import { activeTraceId } from '@agentstore/kernel/http/trace';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { AuditDecision } from '../audit/audit-record.ts';
import type { Grant, ToolCall } from './tool-call.ts';

/** What is known of a decision so far. */
export type AuditDraft = Omit<
  { -readonly [Member in keyof AuditDecision]: AuditDecision[Member] },
  'decision' | 'reason'
>;

const mostNames = 64;

/** What a call says of itself, as it may be written down: never a value, and no text that a caller could make as long as it likes. */
export function draftOf(grant: Grant, call: ToolCall): AuditDraft {
  return {
    id: uuidv7(),
    organizationId: grant.organizationId,
    projectId: grant.projectId,
    instanceId: grant.instanceId,
    runId: grant.runId,
    tokenId: grant.tokenId,
    channel: call.channel,
    toolId: printable(call.toolId, 200),
    definition: null,
    bindingId: null,
    policyVersion: null,
    policyCommit: null,
    argumentsHash: null,
    argumentNames: namesOf(call.arguments),
    idempotencyKeyHash: call.idempotencyKey === undefined ? null : hashOf(call.idempotencyKey),
    claimedTenantMismatch:
      differs(call.claimed?.organizationId, grant.organizationId) ||
      differs(call.claimed?.projectId, grant.projectId),
    traceId: activeTraceId() ?? null,
    client: call.client === undefined ? null : printable(call.client, 200),
  };
}

const differs = (claimed: unknown, granted: string): boolean => claimed !== undefined && claimed !== granted;

const namesOf = (sent: unknown): string[] =>
  sent !== null && typeof sent === 'object' && !Array.isArray(sent)
    ? Object.keys(sent)
        .slice(0, mostNames)
        .map((name) => printable(name, 100))
    : [];

const printable = (text: string, most: number): string => text.slice(0, most).replace(/[^\x20-\x7e]/g, '?');
