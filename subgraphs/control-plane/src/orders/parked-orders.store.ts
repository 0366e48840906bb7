import type { Tx } from '@agentstore/kernel/db/database';

/** The newest paid lines that could not be granted. */
export const parkedLines = (tx: Tx) =>
  tx.sql<{
    saleorOrderId: string;
    saleorLineId: string;
    reason: string;
    orderNumber: string;
    parkedAt: Date;
  }>(
    `-- parkedLines
     select saleor_order_id as "saleorOrderId", saleor_line_id as "saleorLineId", reason, snapshot ->> 'number' as "orderNumber", parked_at as "parkedAt"
     from parked_order_line order by parked_at desc limit 200`,
  );

/** The newest orders that the provisioner cannot bring to an end. */
export const parkedOrders = (tx: Tx) =>
  tx.sql<{ saleorOrderId: string; orderNumber: string | null; reason: string; parkedAt: Date }>(
    `-- parkedOrders
     select saleor_order_id as "saleorOrderId", order_number as "orderNumber", reason, parked_at as "parkedAt"
     from parked_order order by parked_at desc limit 200`,
  );

/** What the provisioner says of an order; with no reason it waits no more. */
export const noteParkedOrder = (
  tx: Tx,
  order: { saleorApiUrl: string; orderId: string; orderNumber: string | null; reason: string | null },
) =>
  order.reason === null
    ? tx.sql(
        '-- noteParkedOrder: no longer\n delete from parked_order where saleor_api_url = $1 and saleor_order_id = $2',
        [order.saleorApiUrl, order.orderId],
      )
    : tx.sql(
        `-- noteParkedOrder
         insert into parked_order (saleor_api_url, saleor_order_id, order_number, reason) values ($1, $2, $3, $4)
         on conflict (saleor_api_url, saleor_order_id) do update set order_number = excluded.order_number, reason = excluded.reason`,
        [order.saleorApiUrl, order.orderId, order.orderNumber, order.reason],
      );
