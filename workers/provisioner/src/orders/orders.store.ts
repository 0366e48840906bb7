import type { Tx } from '@agentstore/kernel/db/database';

export interface OrderKey {
  readonly saleorApiUrl: string;
  readonly orderId: string;
}
export type OrderProgress = 'DUE' | 'WAITING' | 'GRANTED' | 'REVOKED' | 'PARKED';

/** Keeps a delivery once by its bytes. */
export const noteDelivery = (tx: Tx, delivery: OrderKey & { sha256: string; event: string }) =>
  tx.sql(
    '-- noteDelivery\n insert into inbox (sha256, saleor_api_url, event, saleor_order_id) values ($1, $2, $3, $4) on conflict do nothing',
    [delivery.sha256, delivery.saleorApiUrl, delivery.event, delivery.orderId],
  );

/** What was delivered about an order: noted only after its signature was verified. */
export const deliveriesOf = (tx: Tx, orderId: string) =>
  tx.sql<{ event: string; sha256: string; receivedAt: Date }>(
    `-- deliveriesOf
     select event, sha256, received_at as "receivedAt" from inbox where saleor_order_id = $1 order by received_at, sha256 limit 100`,
    [orderId],
  );

/** Says that an order is to be looked at, and rings. */
export async function markDue(
  tx: Tx,
  order: OrderKey & { orderNumber: string; updatedAt?: string },
): Promise<void> {
  await tx.sql(
    `-- markDue
     insert into order_state (saleor_api_url, saleor_order_id, order_number, shop_updated_at) values ($1, $2, $3, $4)
     on conflict (saleor_api_url, saleor_order_id) do update set state = 'DUE', attempts = 0, next_attempt_at = now(), changed_at = now(),
       shop_updated_at = coalesce(excluded.shop_updated_at, order_state.shop_updated_at)
     where excluded.shop_updated_at is null or excluded.shop_updated_at is distinct from order_state.shop_updated_at`,
    [order.saleorApiUrl, order.orderId, order.orderNumber, order.updatedAt ?? null],
  );
  await tx.sql("-- markDue: ring\n select pg_notify('provisioner_order', 'order')");
}

/** Takes up to `limit` due orders for a minute; a worker that dies gives them back by time. */
export const claimDue = (tx: Tx, limit: number) =>
  tx.sql<OrderKey & { attempts: number }>(
    `-- claimDue
     with due as (select saleor_api_url, saleor_order_id from order_state where state = 'DUE' and next_attempt_at <= now() order by next_attempt_at limit $1 for update skip locked)
     update order_state o set attempts = attempts + 1, next_attempt_at = now() + interval '1 minute' from due
     where o.saleor_api_url = due.saleor_api_url and o.saleor_order_id = due.saleor_order_id
     returning o.saleor_api_url as "saleorApiUrl", o.saleor_order_id as "orderId", o.attempts`,
    [limit],
  );

/** Notes the end of an attempt; an order that became due again in the meantime stays due. */
export const noteOutcome = (
  tx: Tx,
  order: OrderKey & { attempts: number },
  outcome: { state: OrderProgress; reason: string | null },
) =>
  tx.sql(
    `-- noteOutcome
     update order_state set state = $4, reason = $5, changed_at = now() where saleor_api_url = $1 and saleor_order_id = $2 and attempts = $3`,
    [order.saleorApiUrl, order.orderId, order.attempts, outcome.state, outcome.reason],
  );

/** Tries again later: 1 s, 2 s, 4 s … up to five minutes, for ever. */
export const noteRetry = (tx: Tx, order: OrderKey & { attempts: number }, reason: string) =>
  tx.sql(
    `-- noteRetry
     update order_state set reason = $4, next_attempt_at = now() + make_interval(secs => least(300, 0.5 * 2 ^ least($3, 12))) where saleor_api_url = $1 and saleor_order_id = $2 and attempts = $3`,
    [order.saleorApiUrl, order.orderId, order.attempts, reason],
  );

export const ordersIn = (tx: Tx, state: OrderProgress | null) =>
  tx.sql<{
    orderNumber: string | null;
    orderId: string;
    state: OrderProgress;
    reason: string | null;
    attempts: number;
    changedAt: Date;
  }>(
    `-- ordersIn
     select order_number as "orderNumber", saleor_order_id as "orderId", state, reason, attempts, changed_at as "changedAt" from order_state
     where $1::text is null or state = $1 order by changed_at desc limit 200`,
    [state],
  );

export async function pollMark(tx: Tx, saleorApiUrl: string): Promise<Date | undefined> {
  const [row] = await tx.sql<{ updatedAt: Date }>(
    '-- pollMark\n select updated_at as "updatedAt" from poll_mark where saleor_api_url = $1',
    [saleorApiUrl],
  );
  return row?.updatedAt;
}

export const movePollMark = (tx: Tx, saleorApiUrl: string, updatedAt: Date) =>
  tx.sql(
    `-- movePollMark
     insert into poll_mark (saleor_api_url, updated_at) values ($1, $2) on conflict (saleor_api_url) do update set updated_at = greatest(poll_mark.updated_at, excluded.updated_at)`,
    [saleorApiUrl, updatedAt],
  );
