import type { Log } from '../log.ts';
import { systemScope } from '../access.ts';
import { uuidv7 } from '../ids.ts';
import { startLoop, type Loop } from '../loop.ts';
import type { Database, Tx } from './database.ts';

/** One fact to tell: `topic` in the past tense (`InstanceRequested`), `key` the row it is about. */
export interface OutboxMessage {
  readonly topic: string;
  readonly key: string;
  readonly payload: object;
}

/** Writes the fact in the transaction that makes it true. */
export async function addToOutbox(tx: Tx, message: OutboxMessage): Promise<void> {
  await tx.sql(
    `-- addToOutbox
     insert into outbox (id, topic, key, payload) values ($1, $2, $3, $4)`,
    [uuidv7(), message.topic, message.key, JSON.stringify(message.payload)],
  );
}

/** Delivers a fact; must be idempotent (a crash after it and before the commit delivers again). Throwing retries with backoff. */
export type OutboxHandler = (
  message: OutboxMessage & { readonly id: string; readonly attempts: number },
) => Promise<void>;

/**
 * Delivers due facts in order of their ids, a batch at a time, until stopped; `wake()` after a commit spares the poll's delay.
 * A fact is deleted only after its handler succeeded; after `maxAttempts` it is parked with the reason, and stays for an operator.
 */
export function startRelay(options: {
  database: Database;
  handlers: Readonly<Record<string, OutboxHandler>>;
  log: Log;
  pollMs?: number;
  maxAttempts?: number;
}): Loop {
  const { database, handlers, log, maxAttempts = 20 } = options;
  const scope = systemScope('outbox-relay');
  const topics = Object.keys(handlers);
  return startLoop({ name: 'outbox-relay', log, everyMs: options.pollMs ?? 1_000, work: deliverBatch });

  async function deliverBatch(): Promise<boolean> {
    return database.transaction(scope, async (tx) => {
      const due = await tx.sql<{ id: string; topic: string; key: string; payload: object; attempts: number }>(
        `-- relay: due
         select id, topic, key, payload, attempts from outbox
         where parked_reason is null and next_attempt_at <= now() and topic = any ($1)
         order by id limit 20 for update skip locked`,
        [topics],
      );
      for (const message of due) {
        try {
          await handlers[message.topic]!(message);
          await tx.sql('-- relay: delivered\n delete from outbox where id = $1', [message.id]);
        } catch (error) {
          const attempts = message.attempts + 1;
          log.warn(
            { err: error, topic: message.topic, key: message.key, attempts },
            'outbox delivery failed',
          );
          await tx.sql(
            `-- relay: failed
             update outbox set attempts = $2, next_attempt_at = now() + make_interval(secs => least(300, 0.25 * 2 ^ $2::int)),
               parked_reason = $3 where id = $1`,
            [
              message.id,
              attempts,
              attempts >= maxAttempts ? String((error as Error).message).slice(0, 500) : null,
            ],
          );
        }
      }
      return due.length > 0;
    });
  }
}
