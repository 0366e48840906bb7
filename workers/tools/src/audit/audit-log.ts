import { canonicalJson } from '@agentstore/kernel/canonical-json';
import type { Database } from '@agentstore/kernel/db/database';
import { withDeadline } from '@agentstore/kernel/deadline';
import type { Log } from '@agentstore/kernel/log';
import { lookupOf, type Lookup } from './audit-chain.ts';
import type { AuditCompletion, AuditDecision, AuditLog } from './audit-record.ts';
import { appendRecords } from './audit-records.store.ts';

/** A record could not be written down, or not in time; it may have been written nevertheless. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable';
}

interface Waiting {
  readonly record: Lookup & { readonly body: string };
  readonly settle: (failure?: AuditUnavailable) => void;
}

/**
 * The audit log in PostgreSQL. While one append is under way the records that come meanwhile wait and then go together, so that many calls at once cost few
 * commits and one call alone waits for nobody. `deadlineMs` is for one append: a record waits for at most two of them. `mostWaiting` records wait at most; one more is refused.
 */
export function createAuditLog({
  db,
  log,
  deadlineMs,
  mostWaiting,
}: {
  readonly db: Database;
  readonly log: Log;
  readonly deadlineMs: number;
  readonly mostWaiting: number;
}): AuditLog {
  let waiting: Waiting[] = [];
  let appending = false;

  async function appendAll(): Promise<void> {
    appending = true;
    while (waiting.length) {
      const batch = waiting;
      waiting = [];
      const failure = await append(batch);
      for (const { settle } of batch) settle(failure);
    }
    appending = false;
  }

  async function append(batch: readonly Waiting[]): Promise<AuditUnavailable | undefined> {
    try {
      await withDeadline(
        appendRecords(
          db,
          batch.map(({ record }) => record),
        ),
        deadlineMs,
        'the audit log',
      );
      return undefined;
    } catch (error) {
      log.error({ err: error, records: batch.length }, 'audit records could not be written');
      return new AuditUnavailable('The audit log cannot be written now.', { cause: error });
    }
  }

  const write = (kind: Kind, record: AuditDecision | AuditCompletion): Promise<void> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= mostWaiting) {
        reject(new AuditUnavailable(`${mostWaiting} records wait to be written already.`));
        return;
      }
      const written = { ...record, kind, at: new Date().toISOString() };
      waiting.push({
        record: { ...lookupOf(written), body: canonicalJson(written) },
        settle: (failure) => (failure ? reject(failure) : resolve()),
      });
      if (!appending) void appendAll();
    });

  return {
    decided: (record) => write('DECISION', record),
    completed: (record) => write('COMPLETION', record),
  };
}

type Kind = 'DECISION' | 'COMPLETION';
