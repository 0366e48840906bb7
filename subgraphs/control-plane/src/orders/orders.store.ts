import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { LineOutcome, OrderLine, OrderSnapshot } from './order.ts';

/** One delivery of an order is worked on at a time; the others wait and then find what it did. */
export const lockOrder = (tx: Tx, saleorApiUrl: string, orderId: string) =>
  tx.sql('-- lockOrder\n select pg_advisory_xact_lock(hashtextextended($1, 1))', [
    `${saleorApiUrl} ${orderId}`,
  ]);

export async function revokedReason(
  tx: Tx,
  saleorApiUrl: string,
  orderId: string,
): Promise<string | undefined> {
  const [row] = await tx.sql<{ reason: string }>(
    '-- revokedReason\n select reason from revoked_order where saleor_api_url = $1 and saleor_order_id = $2',
    [saleorApiUrl, orderId],
  );
  return row?.reason;
}

/** The tombstone; lines of the order that waited for an operator wait no more. */
export async function insertRevoked(
  tx: Tx,
  saleorApiUrl: string,
  orderId: string,
  reason: string,
): Promise<void> {
  await tx.sql(
    '-- insertRevoked\n insert into revoked_order (saleor_api_url, saleor_order_id, reason) values ($1, $2, $3) on conflict do nothing',
    [saleorApiUrl, orderId, reason],
  );
  await tx.sql(
    '-- insertRevoked: no longer parked\n delete from parked_order_line where saleor_api_url = $1 and saleor_order_id = $2',
    [saleorApiUrl, orderId],
  );
}

/** Takes an order's credits out of the line for billing. Waits for one that is being delivered. */
export async function dropQueuedCredits(
  tx: Tx,
  topic: string,
  order: { saleorApiUrl: string; orderId: string },
): Promise<void> {
  await tx.sql(
    `-- dropQueuedCredits
     delete from outbox where topic = $1 and payload -> 'order' ->> 'saleorApiUrl' = $2 and payload -> 'order' ->> 'orderId' = $3`,
    [topic, order.saleorApiUrl, order.orderId],
  );
}

/** What was granted for the lines of an order before. */
export async function grantsOfOrder(
  tx: Tx,
  saleorApiUrl: string,
  orderId: string,
): Promise<{ organizationId: Uuid; outcome: LineOutcome }[]> {
  return tx.sql(
    '-- grantsOfOrder\n select organization_id as "organizationId", outcome from order_line_grant where saleor_api_url = $1 and saleor_order_id = $2',
    [saleorApiUrl, orderId],
  );
}

export async function insertGrant(
  tx: Tx,
  snapshot: OrderSnapshot,
  organizationId: Uuid,
  outcome: LineOutcome,
): Promise<void> {
  await tx.sql(
    `-- insertGrant
     insert into order_line_grant (saleor_api_url, saleor_order_id, saleor_line_id, organization_id, outcome) values ($1, $2, $3, $4, $5)`,
    [snapshot.saleorApiUrl, snapshot.order.id, outcome.lineId, organizationId, JSON.stringify(outcome)],
  );
  await tx.sql(
    '-- insertGrant: no longer parked\n delete from parked_order_line where saleor_api_url = $1 and saleor_order_id = $2 and saleor_line_id = $3',
    [snapshot.saleorApiUrl, snapshot.order.id, outcome.lineId],
  );
}

export async function parkLine(
  tx: Tx,
  snapshot: OrderSnapshot,
  line: OrderLine,
  reason: string,
): Promise<void> {
  await tx.sql(
    `-- parkLine
     insert into parked_order_line (saleor_api_url, saleor_order_id, saleor_line_id, reason, snapshot) values ($1, $2, $3, $4, $5)
     on conflict (saleor_api_url, saleor_order_id, saleor_line_id) do update set reason = excluded.reason`,
    [
      snapshot.saleorApiUrl,
      snapshot.order.id,
      line.id,
      reason,
      JSON.stringify({ number: snapshot.order.number, line }),
    ],
  );
}

/** Makes an order wait for its buyer as it is now. */
export async function insertClaim(tx: Tx, snapshot: OrderSnapshot): Promise<void> {
  await tx.sql(
    `-- insertClaim
     insert into order_claim (saleor_api_url, saleor_order_id, email, snapshot) values ($1, $2, $3, $4)
     on conflict (saleor_api_url, saleor_order_id) do update set email = excluded.email, snapshot = excluded.snapshot where order_claim.claimed_by is null`,
    [snapshot.saleorApiUrl, snapshot.order.id, snapshot.order.userEmail, JSON.stringify(snapshot)],
  );
}

/** The order waits for nobody any more: it is not to be granted as it was told. */
export const dropClaim = (tx: Tx, saleorApiUrl: string, orderId: string) =>
  tx.sql(
    '-- dropClaim\n delete from order_claim where saleor_api_url = $1 and saleor_order_id = $2 and claimed_by is null',
    [saleorApiUrl, orderId],
  );

/** Whether the order is one that waits, or waited, for a guest's first sign-in. */
export async function hasClaim(tx: Tx, saleorApiUrl: string, orderId: string): Promise<boolean> {
  const rows = await tx.sql(
    '-- hasClaim\n select from order_claim where saleor_api_url = $1 and saleor_order_id = $2',
    [saleorApiUrl, orderId],
  );
  return rows.length > 0;
}

/** Orders that wait for a person, by their verified e-mail or as that person of the shop; cheap when there are none. */
export const openClaims = (tx: Tx, of: { email: string | null; saleorUserId: string | null }) =>
  tx.sql<{ saleorApiUrl: string; orderId: string }>(
    `-- openClaims
     select saleor_api_url as "saleorApiUrl", saleor_order_id as "orderId" from order_claim
     where claimed_by is null and (lower(email) = lower($1) or snapshot -> 'order' ->> 'userId' = $2)`,
    [of.email, of.saleorUserId],
  );

/** Ends a claim under its order's lock, whoever it is granted for; the snapshot when it was open. */
export async function closeClaim(
  tx: Tx,
  order: { saleorApiUrl: string; orderId: string },
  userId: Uuid,
): Promise<OrderSnapshot | undefined> {
  const [row] = await tx.sql<{ snapshot: OrderSnapshot }>(
    `-- closeClaim
     update order_claim set claimed_by = $3 where saleor_api_url = $1 and saleor_order_id = $2 and claimed_by is null returning snapshot`,
    [order.saleorApiUrl, order.orderId, userId],
  );
  return row?.snapshot;
}
