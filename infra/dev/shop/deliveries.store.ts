import type { Store, WritableStore } from './store.ts';

/** One try to deliver. `status` is null when there was no answer. */
export interface Attempt {
  readonly at: string;
  readonly seconds: number;
  readonly status: number | null;
  readonly response: string;
}

/** One event for one webhook, its payload fixed at the time of the event. */
export interface DeliveryRow {
  readonly id: string;
  readonly webhook: string;
  readonly event_type: string;
  readonly payload: string;
  readonly status: 'PENDING' | 'FAILED';
  readonly attempts: readonly Attempt[];
  readonly created_at: Date;
}

const columns = 'id::text, webhook, event_type, payload, status, attempts, created_at';

export async function addDelivery(
  tx: WritableStore,
  row: { webhook: string; eventType: string; payload: string; now: Date },
): Promise<void> {
  await tx.sql(
    `-- addDelivery
     insert into delivery (webhook, event_type, payload, created_at, next_attempt_at) values ($1, $2, $3, $4, $4)`,
    [row.webhook, row.eventType, row.payload, row.now],
  );
}

/** Deliveries whose time has come, but for those being sent. */
export function dueDeliveries(
  store: Store,
  due: { now: Date; limit: number; sending: readonly string[] },
): Promise<DeliveryRow[]> {
  return store.sql<DeliveryRow>(
    `-- dueDeliveries
     select ${columns} from delivery where status = 'PENDING' and next_attempt_at <= $1 and id <> all ($2::bigint[])
     order by next_attempt_at, id limit $3`,
    [due.now, due.sending, due.limit],
  );
}

/** Delivered: the row goes, as Saleor drops it. */
export async function forgetDelivery(store: Store, id: string): Promise<void> {
  await store.sql('-- forgetDelivery\n delete from delivery where id = $1', [id]);
}

/** Lost on its way: the row stays PENDING, and nothing sends it again. */
export async function loseDelivery(store: Store, id: string): Promise<void> {
  await store.sql("-- loseDelivery\n update delivery set next_attempt_at = 'infinity' where id = $1", [id]);
}

/** Not delivered: tried again at `retryAt`, or FAILED for good. */
export async function settleFailure(
  store: Store,
  failure: { id: string; attempt: Attempt | null; retryAt: Date | null },
): Promise<void> {
  await store.sql(
    `-- settleFailure
     update delivery set attempts = attempts || $2::jsonb,
       status = case when $3::timestamptz is null then 'FAILED' else 'PENDING' end,
       next_attempt_at = coalesce($3, next_attempt_at)
     where id = $1`,
    [failure.id, JSON.stringify(failure.attempt ? [failure.attempt] : []), failure.retryAt],
  );
}

export function deliveriesOf(store: Store, webhook: string): Promise<DeliveryRow[]> {
  return store.sql<DeliveryRow>(
    `-- deliveriesOf\n select ${columns} from delivery where webhook = $1 order by id desc`,
    [webhook],
  );
}

export async function deliveryById(store: Store, id: string): Promise<DeliveryRow | undefined> {
  return (
    await store.sql<DeliveryRow>(`-- deliveryById\n select ${columns} from delivery where id = $1`, [id])
  )[0];
}

/** Puts a delivery in line again, from its first attempt. False when there is none. */
export async function retryDelivery(tx: WritableStore, id: string, now: Date): Promise<boolean> {
  const rows = await tx.sql(
    `-- retryDelivery
     update delivery set status = 'PENDING', attempts = '[]', next_attempt_at = $2 where id = $1 returning id`,
    [id, now],
  );
  return rows.length > 0;
}
