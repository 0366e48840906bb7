import type { Log } from '../log.ts';
import { uuidv7, type Uuid } from '../ids.ts';
import { startLoop, type Loop } from '../loop.ts';
import { UnavailableError } from '../service-client.ts';
import { isDatabaseDown, type Database, type Tx } from './database.ts';

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

/** Delivers a fact; must be idempotent (a crash after it and before the fact is struck off delivers again). Throwing retries with backoff. */
export type OutboxHandler = (
  message: OutboxMessage & { readonly id: string; readonly attempts: number },
) => Promise<void>;

interface Claimed extends OutboxMessage {
  readonly id: Uuid;
  readonly attempts: number;
  readonly refusals: number;
}

/** How long a claimed fact belongs to its relay: more than any handler's deadlines together. A relay that died gives it back so. */
const leaseSeconds = 60;

/**
 * Delivers due facts in order of their ids until stopped; `wake()` after a commit spares the poll's delay. A fact is claimed by a short lease
 * and delivered outside any transaction, so a slow receiver holds no lock. It is deleted only after its handler succeeded. While the receiver is
 * away it is tried for ever, every 5 minutes at the slowest; after `maxRefusals` other errors it is parked with the reason and a line in the log,
 * and stays until someone has mended the cause and calls `redrive`.
 */
export function startRelay(options: {
  database: Database;
  handlers: Readonly<Record<string, OutboxHandler>>;
  log: Log;
  pollMs?: number;
  maxRefusals?: number;
}): Loop {
  const { database, handlers, log, maxRefusals = 20 } = options;
  const topics = Object.keys(handlers);
  return startLoop({ name: 'outbox-relay', log, everyMs: options.pollMs ?? 1_000, work: deliverNext });

  async function deliverNext(): Promise<boolean> {
    const [fact] = await database.statement<Claimed>(
      'relay_claim',
      `-- relay: claim
       update outbox set next_attempt_at = now() + make_interval(secs => $2::int)
       where id = (select id from outbox where parked_reason is null and next_attempt_at <= now() and topic = any ($1)
                   order by id limit 1 for update skip locked)
       returning id, topic, key, payload, attempts, refusals`,
      [topics, leaseSeconds],
    );
    if (!fact) return false;
    try {
      await handlers[fact.topic]!(fact);
    } catch (error) {
      await failed(fact, error as Error);
      return true;
    }
    await database.statement('relay_delivered', 'delete from outbox where id = $1', [fact.id]);
    return true;
  }

  async function failed(fact: Claimed, error: Error): Promise<void> {
    const away = error instanceof UnavailableError || isDatabaseDown(error);
    const refusals = fact.refusals + (away ? 0 : 1);
    const parked = refusals >= maxRefusals;
    await database.statement(
      'relay_failed',
      `-- relay: failed; the power is bounded, for a number that has tried for weeks
       update outbox set attempts = $2::int, refusals = $3, parked_reason = $4,
         next_attempt_at = now() + make_interval(secs => least(300, 0.25 * 2 ^ least($2::int, 12)))
       where id = $1 and attempts < $2::int`,
      [fact.id, fact.attempts + 1, refusals, parked ? error.message.slice(0, 500) : null],
    );
    const about = { err: error, factId: fact.id, topic: fact.topic, subject: fact.key, refusals };
    if (parked) log.error(about, 'outbox fact parked: it is not tried again before it is put back');
    else log.warn({ ...about, attempts: fact.attempts + 1 }, 'outbox delivery failed');
  }
}

/** A fact that its receiver kept refusing. */
export interface ParkedFact extends OutboxMessage {
  readonly id: Uuid;
  readonly reason: string;
  readonly createdAt: Date;
}

/** Facts that wait for someone, oldest first. */
export const parkedFacts = (database: Database): Promise<ParkedFact[]> =>
  database.statement<ParkedFact>(
    'parked_facts',
    `select id, topic, key, payload, parked_reason as reason, created_at as "createdAt" from outbox
     where parked_reason is not null order by id limit 1000`,
  );

/** Puts parked facts back, due at once and with a clean count; answers which of the given were parked. */
export async function redrive(database: Database, ids: readonly Uuid[]): Promise<Uuid[]> {
  const back = await database.statement<{ id: Uuid }>(
    'redrive',
    `update outbox set parked_reason = null, refusals = 0, attempts = 0, next_attempt_at = now()
     where id = any ($1::uuid[]) and parked_reason is not null returning id`,
    [ids],
  );
  return back.map(({ id }) => id);
}
