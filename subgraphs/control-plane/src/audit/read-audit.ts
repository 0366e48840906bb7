import { z } from 'zod';
import { organizationScope, requireCaller } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { ServiceError, type ServiceClient } from '@agentstore/kernel/service-client';
import { auditEntrySchema, type AuditEntry } from './audit-entry.ts';

const asked = { deadlineMs: 5_000, retries: 1 };
const listSchema = z.object({ items: z.array(auditEntrySchema) });

/** Which entries; what is left out is any. */
export interface AuditFilter {
  readonly runId?: Uuid;
  readonly toolId?: string;
  readonly decision?: 'ALLOWED' | 'DENIED';
}

/**
 * One entry of the tool gateway's log; undefined when there is none or it is of an organization that the caller does not belong to. Operators may read all. Throws
 * UnavailableError when the gateway cannot be asked.
 */
export async function readEntry(
  tools: ServiceClient,
  caller: Caller,
  id: Uuid,
): Promise<AuditEntry | undefined> {
  requireCaller(caller);
  const entry = await entryOf(tools, id);
  return entry && mayRead(caller, entry.decision.organizationId) ? entry : undefined;
}

/** Entries of an organization, newest first, at most `first` of those before the entry `after`; undefined for a caller from outside. */
export async function readEntries(
  tools: ServiceClient,
  caller: Caller,
  wanted: AuditFilter & {
    readonly organizationId: Uuid;
    readonly first: number;
    readonly after: Uuid | null;
  },
): Promise<readonly AuditEntry[] | undefined> {
  if (!mayRead(caller, wanted.organizationId)) return undefined;
  const members = Object.entries(wanted).filter(([, value]) => value !== null);
  const query = new URLSearchParams(members.map(([name, value]) => [name, String(value)]));
  const answer = await tools.call('GET', `/internal/audit?${query}`, undefined, asked);
  return listSchema.parse(answer).items;
}

const mayRead = (caller: Caller, organizationId: Uuid): boolean =>
  (caller.kind === 'USER' && caller.operator) ||
  organizationScope(caller, organizationId, 'audit:read') !== undefined;

async function entryOf(tools: ServiceClient, id: Uuid): Promise<AuditEntry | undefined> {
  try {
    return auditEntrySchema.parse(await tools.call('GET', `/internal/audit/${id}`, undefined, asked));
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return undefined;
    throw error;
  }
}
