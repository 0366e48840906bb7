import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { outcomeOf, type SqlAnswer } from '../answer.ts';
import type { Reservation, ReservationState, Usage } from './reservation.ts';

/**
 * A command is one statement, one round trip, one commit: the functions in `migrations/` hold the transaction. Only a refusal that is said
 * while somebody holds a due reservation of the same wallet is asked again (to wait for them inside would be a deadlock), for 150 ms at most.
 */
async function command<T>(db: Database, name: string, parameters: readonly unknown[]) {
  const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
  for (let attempt = 1; ; attempt++) {
    const [row] = await db.statement<{ answer: SqlAnswer }>(
      name,
      `-- ${name}\n select ${name}(${places}) as answer`,
      parameters as never[],
    );
    const { contended, ...answer } = row!.answer;
    if (contended !== true || attempt > 5) return outcomeOf<T>(answer as SqlAnswer);
    await sleep(attempt * 10);
  }
}

const usageJson = (usage: readonly Usage[]): string =>
  JSON.stringify(usage.map((u) => ({ dimension: u.dimension, quantity: u.quantity.toString() })));

/** An answer to a key that may have been used before: with another body it `differs` from what was told first, which stands. */
interface Replayable {
  replayed: boolean;
  differs: boolean;
}

export interface AuthorizeAnswer {
  status: ReservationState;
  reservationId: Uuid;
  amount: string;
  expiresInMs: number;
  priceVersion: number;
  available: string;
  replayed: boolean;
}

export const authorizeRun = (
  db: Database,
  input: {
    organizationId: Uuid;
    runId: Uuid;
    instanceId: Uuid;
    offeringId: Uuid;
    amount?: bigint | undefined;
    maxCharge?: bigint | undefined;
    ttlSeconds: number;
    bodyHash: string;
  },
) =>
  command<AuthorizeAnswer>(db, 'authorize_run', [
    input.organizationId,
    input.runId,
    input.instanceId,
    input.offeringId,
    input.amount ?? null,
    input.maxCharge ?? null,
    input.ttlSeconds,
    input.bodyHash,
  ]);

export interface SettleAnswer extends Replayable {
  ledgerEntryId: Uuid;
  charge: string;
  balanceAfter: string;
  /** The wallet's balance now: others may have changed it since. */
  balance: string;
  usage: { dimension: string; quantity: string; unitPrice: string; amount: string }[];
  transfers: { debitAccount: string; creditAccount: string; amount: string; code: string }[];
}

export const settleRun = (
  db: Database,
  input: { organizationId: Uuid; runId: Uuid; usage: readonly Usage[]; actor: string },
) =>
  command<SettleAnswer>(db, 'settle_run', [
    input.organizationId,
    input.runId,
    usageJson(input.usage),
    input.actor,
  ]);

export const releaseRun = (db: Database, input: { organizationId: Uuid; runId: Uuid }) =>
  command<{ state: ReservationState; charge: string; replayed: boolean }>(db, 'release_run', [
    input.organizationId,
    input.runId,
  ]);

/** Keeps a reservation alive, notes `usage` (what a lost run is charged) and raises it by `amount`, at least to the price of `cover`. */
export const extendRun = (
  db: Database,
  input: {
    organizationId: Uuid;
    runId: Uuid;
    amount: bigint;
    usage: readonly Usage[];
    /** What the run would be charged were it to end now; `usage` unless said. */
    cover?: readonly Usage[] | undefined;
    seq: number;
    ttlSeconds: number;
  },
) =>
  command<AuthorizeAnswer & Replayable>(db, 'extend_run', [
    input.organizationId,
    input.runId,
    input.amount,
    usageJson(input.usage),
    input.seq,
    input.ttlSeconds,
    input.cover ? usageJson(input.cover) : null,
  ]);

export interface Swept {
  readonly reservations: number;
  readonly grants: number;
  /** Whose wallets were changed. */
  readonly organizationIds: readonly Uuid[];
  /** What could not be ended, and why; it is tried again with the next sweep. */
  readonly failures: readonly { organizationId: Uuid; runId: Uuid | null; error: string }[];
  /** The batch was full: there may be more. */
  readonly more: boolean;
}

/** Ends up to `limit` due reservations and wallets' ended grants. */
export async function sweep(db: Database, limit: number): Promise<Swept> {
  const [row] = await db.statement<{ answer: Swept }>('sweep', '-- sweep\n select sweep($1) as answer', [
    limit,
  ]);
  return row!.answer;
}

const columns = `id, organization_id as "organizationId", amount, status as state, expires_at as "expiresAt", charged`;

/** The open ones are few among all that ever were, and have an index of their own, which only a literal condition uses. */
export const reservationsOf = (tx: Tx, organizationId: Uuid, states: readonly ReservationState[] | null) =>
  states?.length === 1 && states[0] === 'OPEN'
    ? tx.sql<Reservation>(
        `-- reservationsOf: open
     select ${columns} from reservation where organization_id = $1 and status = 'OPEN' order by id desc limit 200`,
        [organizationId],
      )
    : tx.sql<Reservation>(
        `-- reservationsOf
     select ${columns} from reservation where organization_id = $1 and ($2::text[] is null or status = any ($2)) order by id desc limit 200`,
        [organizationId, states],
      );

/** What runs were charged, by run id: nothing when they were given back or swept unused. A run under way is absent. */
export async function chargesOf(tx: Tx, runIds: readonly Uuid[]): Promise<Map<Uuid, bigint>> {
  const rows = await tx.sql<{ id: Uuid; charged: bigint }>(
    `-- chargesOf
     select id, charged from reservation where id = any ($1) and status <> 'OPEN'`,
    [runIds],
  );
  return new Map(rows.map((row) => [row.id, row.charged]));
}

/** Charged to runs of one instance since an instant, in µcr. */
export async function spendOf(tx: Tx, instanceId: Uuid, since: Date | null): Promise<bigint> {
  const [row] = await tx.sql<{ spend: bigint }>(
    `-- spendOf
     select coalesce(sum(charged), 0)::bigint as spend from reservation where instance_id = $1 and ($2::timestamptz is null or id >= uuid_at($2))`,
    [instanceId, since],
  );
  return row!.spend;
}
