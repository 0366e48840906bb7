import { ServiceError } from '@agentstore/kernel/http/client';
import type { Room } from '../deps.ts';
import { decideOrder, snapshotOf, type ShopOrder } from './order.ts';
import type { OrderKey, OrderProgress } from './orders.store.ts';
import { readOrder } from './shop-client.ts';

/** What the control plane made of an order's lines. */
interface Granted {
  readonly organizationId: string | null;
  readonly claim: boolean;
  readonly lines: readonly (
    | {
        lineId: string;
        outcome: 'instance';
        planGrant: { credits: string; expiresAfterDays: number | null } | null;
      }
    | { lineId: string; outcome: 'creditPack'; credits: string; expiresAfterDays: number | null }
    | { lineId: string; outcome: 'parked'; reason: string }
  )[];
}

export interface Settled {
  readonly state: OrderProgress;
  readonly reason: string | null;
}

/**
 * Brings the store in line with one order of the shop: reads it back, grants or revokes, tops wallets up. Every call carries the line's own key, so
 * doing it again, or twenty times at once, changes nothing more. Throws UnavailableError while a part cannot be reached.
 */
export async function settleOrder(room: Room, key: OrderKey): Promise<Settled> {
  const credentials = await room.apl.get(key.saleorApiUrl);
  if (!credentials)
    return { state: 'PARKED', reason: 'APP_NOT_INSTALLED: the shop has not registered the app' };
  const order = await readOrder({ saleorApiUrl: key.saleorApiUrl, token: credentials.token }, key.orderId);
  if (!order)
    return { state: 'PARKED', reason: 'ORDER_NOT_FOUND: the shop does not show the order to the app' };
  const decision = decideOrder(order);
  switch (decision.kind) {
    case 'grant':
      return grant(room, key.saleorApiUrl, order);
    case 'revoke':
      return revoke(room, key, decision.reason);
    case 'keep':
      return {
        state: 'GRANTED',
        reason: 'PARTIALLY_REFUNDED: what was granted stays, nothing more is granted',
      };
    case 'wait':
      return { state: 'WAITING', reason: `${order.status}, charge ${order.chargeStatus}` };
  }
}

async function grant(room: Room, saleorApiUrl: string, order: ShopOrder): Promise<Settled> {
  const granted = await room.controlPlane.call<Granted>(
    'POST',
    '/integrations/saleor/order-paid',
    snapshotOf(saleorApiUrl, order),
    { retries: 2 },
  );
  if (granted.claim)
    return { state: 'WAITING', reason: 'GUEST: waits for the first sign-in with its e-mail' };
  for (const line of granted.lines) {
    const key = `saleor:${order.id}:${line.lineId}`;
    const [kind, lineKey, credits] =
      line.outcome === 'creditPack'
        ? (['PAID', key, line] as const)
        : line.outcome === 'instance'
          ? (['PLAN', `${key}:plan`, line.planGrant] as const)
          : (['PAID', key, null] as const);
    if (!credits) continue;
    const granting = room.billing.call(
      'POST',
      '/wallet/topup',
      {
        organizationId: granted.organizationId,
        kind,
        key: lineKey,
        credits: credits.credits,
        order: { saleorApiUrl, orderId: order.id, lineId: line.lineId },
        ...(credits.expiresAfterDays ? { expiresAfterDays: credits.expiresAfterDays } : {}),
      },
      { retries: 2 },
    );
    if (await isRevoked(granting)) return { state: 'REVOKED', reason: 'taken back while it was granted' };
  }
  const parked = granted.lines.flatMap((line) =>
    line.outcome === 'parked' ? [`${line.lineId}: ${line.reason}`] : [],
  );
  return parked.length ? { state: 'PARKED', reason: parked.join('; ') } : { state: 'GRANTED', reason: null };
}

async function revoke(room: Room, key: OrderKey, reason: 'REFUNDED' | 'CANCELLED'): Promise<Settled> {
  const { organizationId, topUpLines } = await room.controlPlane.call<{
    organizationId: string | null;
    topUpLines: string[];
  }>(
    'POST',
    '/integrations/saleor/order-revoked',
    { saleorApiUrl: key.saleorApiUrl, orderId: key.orderId, reason },
    { retries: 2 },
  );
  for (const line of topUpLines) {
    const topUpKey = `saleor:${key.orderId}:${line}`;
    await room.billing.call(
      'POST',
      '/wallet/clawback',
      { organizationId, key: `revoke:${topUpKey}`, topUpKey },
      { retries: 2 },
    );
  }
  return { state: 'REVOKED', reason };
}

/** Whether billing was told to take a top-up back before it came. */
const isRevoked = (granting: Promise<unknown>): Promise<boolean> =>
  granting.then(
    () => false,
    (error: unknown) => {
      if (error instanceof ServiceError && error.code === 'TOP_UP_REVOKED') return true;
      throw error;
    },
  );
