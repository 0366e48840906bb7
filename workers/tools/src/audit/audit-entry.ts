import { toolRefusals } from '../calls/refusals.ts';
import type { AuditCompletion, AuditDecision } from './audit-record.ts';
import type { WrittenEntry } from './audit-records.store.ts';

type At = { readonly at: string };

/** What became of one call, as people read it. */
export interface AuditEntry {
  readonly decision: AuditDecision & At;
  /** Null for a refusal, and while an allowed call is under way or its end could not be written. */
  readonly completion: (AuditCompletion & At) | null;
  /** Why it was refused or how it ended, in words. */
  readonly meaning: string;
}

const meanings: Readonly<Record<string, string>> = {
  ALLOWED_BY_POLICY: 'The applied ConnectorPolicy allows the call; how it ended is not written.',
  OK: 'The call was allowed by the applied ConnectorPolicy, and the tool answered.',
  TOOL_ERROR: 'The call was allowed by the applied ConnectorPolicy; the tool ran and said that it failed.',
  ...Object.fromEntries(Object.entries(toolRefusals).map(([code, { means }]) => [code, means])),
};

export function entryOf(written: WrittenEntry): AuditEntry {
  const decision = JSON.parse(written.decision) as AuditEntry['decision'];
  const completion =
    written.completion === null ? null : (JSON.parse(written.completion) as AuditEntry['completion']);
  const code = completion?.outcome ?? decision.reason;
  return { decision, completion, meaning: meanings[code] ?? code };
}
