import type { Tx } from '@agentstore/kernel/db/database';

export interface OrderKey {
  readonly saleorApiUrl: string;
  readonly orderId: string;
}
/** One worker's turn at an order; `claims` is its fence, `attempts` how often it was tried since it last changed. */
export interface ClaimedOrder extends OrderKey {
  readonly claims: number;
  readonly attempts: number;
}
export type OrderProgress = 'DUE' | 'WAITING' | 'GRANTED' | 'REVOKED' | 'PARKED';

/** Keeps a delivery once by its bytes; false when it was there. */
export async function noteDelivery(
  tx: Tx,
  delivery: OrderKey & { sha256: string; event: string },
): Promise<boolean> {
  const rows = await tx.sql(
    '-- noteDelivery\n insert into inbox (sha256, saleor_api_url, event, saleor_order_id) values ($1, $2, $3, $4) on conflict do nothing returning sha256',
    [delivery.sha256, delivery.saleorApiUrl, delivery.event, delivery.orderId],
  );
  return rows.length > 0;
}

/** Forgets deliveries that no shop sends again. */
export const pruneInbox = (tx: Tx, days: number) =>
  tx.sql('-- pruneInbox\n delete from inbox where received_at < now() - make_interval(days => $1)', [days]);

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
  await ring(tx);
}

/** An order that was told of again: due unless nothing is left to do for it. */
export async function markDueUnlessSettled(tx: Tx, order: OrderKey): Promise<void> {
  await tx.sql(
    `-- markDueUnlessSettled
     update order_state set state = 'DUE', attempts = 0, next_attempt_at = now(), changed_at = now()
     where saleor_api_url = $1 and saleor_order_id = $2 and state in ('DUE', 'WAITING', 'PARKED')`,
    [order.saleorApiUrl, order.orderId],
  );
  await ring(tx);
}

const ring = (tx: Tx) => tx.sql("-- ring\n select pg_notify('provisioner_order', 'order')");

/** Takes up to `limit` orders whose turn it is, parked ones too, for a minute; a worker that dies gives them back by time. */
export const claimDue = (tx: Tx, limit: number) =>
  tx.sql<ClaimedOrder>(
    `-- claimDue
     with due as (select saleor_api_url, saleor_order_id from order_state where state in ('DUE', 'PARKED') and next_attempt_at <= now()
       order by next_attempt_at limit $1 for update skip locked)
     update order_state o set claims = claims + 1, attempts = attempts + 1, next_attempt_at = now() + interval '1 minute' from due
     where o.saleor_api_url = due.saleor_api_url and o.saleor_order_id = due.saleor_order_id
     returning o.saleor_api_url as "saleorApiUrl", o.saleor_order_id as "orderId", o.claims, o.attempts`,
    [limit],
  );

/**
 * Notes the end of a turn, unless another worker took the order since or it changed meanwhile. A parked one is tried again after `parkedRetrySeconds`:
 * what it waits for may have been mended.
 */
export const noteOutcome = (
  tx: Tx,
  order: ClaimedOrder,
  outcome: { state: OrderProgress; reason: string | null; parkedRetrySeconds: number },
) =>
  tx.sql(
    `-- noteOutcome
     update order_state set state = $5, reason = $6, changed_at = now(), next_attempt_at = now() + make_interval(secs => $7)
     where saleor_api_url = $1 and saleor_order_id = $2 and claims = $3 and attempts = $4`,
    [
      order.saleorApiUrl,
      order.orderId,
      order.claims,
      order.attempts,
      outcome.state,
      outcome.reason,
      outcome.parkedRetrySeconds,
    ],
  );

/** Tries again later: 1 s, 2 s, 4 s … up to five minutes, for ever. */
export const noteRetry = (tx: Tx, order: ClaimedOrder, reason: string) =>
  tx.sql(
    `-- noteRetry
     update order_state set state = 'DUE', reason = $5, next_attempt_at = now() + make_interval(secs => least(300, 0.5 * 2 ^ least($4, 12)))
     where saleor_api_url = $1 and saleor_order_id = $2 and claims = $3 and attempts = $4`,
    [order.saleorApiUrl, order.orderId, order.claims, order.attempts, reason],
  );

/** Orders of which operators are to see something else than what the control plane was told; `reason` null is nothing any more. */
export const untoldOrders = (tx: Tx, limit: number) =>
  tx.sql<OrderKey & { orderNumber: string | null; reason: string | null }>(
    `-- untoldOrders
     select saleor_api_url as "saleorApiUrl", saleor_order_id as "orderId", order_number as "orderNumber", visible_reason as reason
     from order_state where visible_reason is distinct from told_reason order by changed_at limit $1`,
    [limit],
  );

export const noteTold = (tx: Tx, order: OrderKey & { reason: string | null }) =>
  tx.sql(
    '-- noteTold\n update order_state set told_reason = $3 where saleor_api_url = $1 and saleor_order_id = $2',
    [order.saleorApiUrl, order.orderId, order.reason],
  );
