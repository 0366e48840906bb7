import type { Tx } from '@agentstore/kernel/db/database';

/** A fact whose receiver does not take it. */
export interface ParkedFact {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly reason: string;
  readonly createdAt: Date;
}

/** The newest facts of this room's outbox that are not tried any more. */
export const parkedFacts = (tx: Tx) =>
  tx.sql<ParkedFact>(
    `-- parkedFacts
     select id, topic, key, parked_reason as reason, created_at as "createdAt" from outbox where parked_reason is not null order by id desc limit 200`,
  );
