import type { Tx } from '@agentstore/kernel/db/database';
import type { QueuedState } from '../desired/desired-state.ts';

export interface Committed {
  readonly outboxId: string;
  readonly instanceId: string;
  readonly generation: number;
  readonly commit: string;
}

export async function noteCommitted(tx: Tx, states: readonly QueuedState[], commit: string): Promise<void> {
  for (const state of states)
    await tx.sql(
      '-- noteCommitted\n insert into committed (outbox_id, instance_id, generation, commit) values ($1, $2, $3, $4) on conflict do nothing',
      [state.outboxId, state.instanceId, state.generation, commit],
    );
}

export const untold = (tx: Tx) =>
  tx.sql<Committed>(
    '-- untold\n select outbox_id as "outboxId", instance_id as "instanceId", generation, commit from committed order by outbox_id limit 200',
  );

export const forget = (tx: Tx, outboxIds: readonly string[]) =>
  tx.sql('-- forget\n delete from committed where outbox_id = any ($1)', [outboxIds]);

export const dueRemovals = (tx: Tx) =>
  tx.sql<{ folder: string; instanceId: string }>(
    '-- dueRemovals\n select folder, instance_id as "instanceId" from removal order by at limit 200',
  );

export const removed = (tx: Tx, folders: readonly string[]) =>
  tx.sql('-- removed\n delete from removal where folder = any ($1)', [folders]);
