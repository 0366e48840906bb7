import type { Tx } from '@agentstore/kernel/db/database';
import { idOf, subjectOf, type Queued } from '../desired/desired-state.ts';
import type { Subject } from '../desired/subjects.ts';

export interface Committed {
  readonly outboxId: string;
  /** Or that of the knowledge base. */
  readonly instanceId: string;
  readonly generation: number;
  readonly commit: string;
}

export async function noteCommitted(tx: Tx, states: readonly Queued[], commit: string): Promise<void> {
  for (const state of states)
    await tx.sql(
      '-- noteCommitted\n insert into committed (outbox_id, subject, instance_id, generation, commit) values ($1, $2, $3, $4, $5) on conflict do nothing',
      [state.outboxId, subjectOf(state), idOf(state), state.generation, commit],
    );
}

export const untold = (tx: Tx, subject: Subject) =>
  tx.sql<Committed>(
    '-- untold\n select outbox_id as "outboxId", instance_id as "instanceId", generation, commit from committed where subject = $1 order by outbox_id limit 200',
    [subject],
  );

export const forget = (tx: Tx, outboxIds: readonly string[]) =>
  tx.sql('-- forget\n delete from committed where outbox_id = any ($1)', [outboxIds]);

export const dueRemovals = (tx: Tx) =>
  tx.sql<{ folder: string; instanceId: string }>(
    '-- dueRemovals\n select folder, instance_id as "instanceId" from removal order by at limit 200',
  );

export const removed = (tx: Tx, folders: readonly string[]) =>
  tx.sql('-- removed\n delete from removal where folder = any ($1)', [folders]);
