import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { outcomeOf, type SqlAnswer } from '../answer.ts';
import type { Reservation, ReservationState, Usage } from './reservation.ts';

/** A command is one statement, one round trip, one commit: the functions of migration 0002 hold the transaction. */
async function command<T>(db: Database, name: string, parameters: readonly unknown[]) {
  const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
  const [row] = await db.statement<{ answer: SqlAnswer }>(
    name,
    `-- ${name}\n select ${name}(${places}) as answer`,
    parameters as never[],
  );
  return outcomeOf<T>(row!.answer);
}

const usageJson = (usage: readonly Usage[]): string =>
  JSON.stringify(usage.map((u) => ({ dimension: u.dimension, quantity: u.quantity.toString() })));

export interface AuthorizeAnswer {
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

export interface SettleAnswer {
  ledgerEntryId: Uuid;
  charge: string;
  balanceAfter: string;
  usage: { dimension: string; quantity: string; unitPrice: string; amount: string }[];
  transfers: { debitAccount: string; creditAccount: string; amount: string; code: string }[];
  replayed: boolean;
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

export const extendRun = (
  db: Database,
  input: {
    organizationId: Uuid;
    runId: Uuid;
    amount: bigint;
    usage: readonly Usage[];
    seq: number;
    ttlSeconds: number;
  },
) =>
  command<AuthorizeAnswer>(db, 'extend_run', [
    input.organizationId,
    input.runId,
    input.amount,
    usageJson(input.usage),
    input.seq,
    input.ttlSeconds,
  ]);

/** Ends up to `limit` due reservations and the due grants of up to `limit` wallets; answers how many of each. */
export async function sweep(db: Database, limit: number): Promise<{ reservations: number; grants: number }> {
  const [row] = await db.statement<{ answer: { reservations: number; grants: number } }>(
    'sweep',
    '-- sweep\n select sweep($1) as answer',
    [limit],
  );
  return row!.answer;
}

const columns = `id, organization_id as "organizationId", amount, status as state, expires_at as "expiresAt", charged`;

export const reservationsOf = (tx: Tx, organizationId: Uuid, states: readonly ReservationState[] | null) =>
  tx.sql<Reservation>(
    `-- reservationsOf
     select ${columns} from reservation where organization_id = $1 and ($2::text[] is null or status = any ($2)) order by id desc limit 200`,
    [organizationId, states],
  );

/** What runs were charged, by run id; a run without a charge is absent. */
export async function chargesOf(tx: Tx, runIds: readonly Uuid[]): Promise<Map<Uuid, bigint>> {
  const rows = await tx.sql<{ id: Uuid; charged: bigint }>(
    `-- chargesOf
     select id, charged from reservation where id = any ($1) and entry_id is not null`,
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
