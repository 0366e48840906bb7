import { ServiceError } from '@agentstore/kernel/http/client';
import type { Room } from '../deps.ts';
import { isDefinite } from './definite.ts';
import { decideOrder, snapshotOf, type RevokeReason, type ShopOrder } from './order.ts';
import type { OrderKey, OrderProgress } from './orders.store.ts';
import { readOrder } from './shop-client.ts';

type Line = { readonly lineId: string } & (
  | { outcome: 'instance'; planGrant: { credits: string; expiresAfterDays: number | null } | null }
  | { outcome: 'creditPack'; credits: string; expiresAfterDays: number | null }
  | { outcome: 'parked'; reason: string }
);

/** What the control plane made of an order's lines. */
interface Granted {
  readonly organizationId: string | null;
  readonly claim: boolean;
  readonly lines: readonly Line[];
}

export interface Settled {
  readonly state: OrderProgress;
  readonly reason: string | null;
}
const parked = (reason: string): Settled => ({ state: 'PARKED', reason });

/**
 * Brings the store in line with one order of the shop: reads it back, grants or revokes, tops wallets up. Every call carries the line's own key, so
 * doing it again, or twenty times at once, changes nothing more. Throws while a part cannot be reached or does not answer as it should.
 */
export async function settleOrder(room: Room, key: OrderKey): Promise<Settled> {
  if (!room.allowedSaleorApiUrls.includes(key.saleorApiUrl))
    return parked('SHOP_NOT_ALLOWED: the shop is not among those that may register');
  const credentials = await room.apl.get(key.saleorApiUrl);
  if (!credentials) return parked('APP_NOT_INSTALLED: the shop has not registered the app');
  const order = await readOrder(credentials, key.orderId);
  if (!order) return parked('ORDER_NOT_FOUND: the shop does not show the order to the app');
  const decision = decideOrder(order);
  switch (decision.kind) {
    case 'grant':
      return grant(room, key.saleorApiUrl, order);
    case 'finish':
      return grant(room, key.saleorApiUrl, order, decision.held);
    case 'revoke':
      return revoke(room, key, decision.reason);
    case 'wait':
      return { state: 'WAITING', reason: `${order.status}, charge ${order.chargeStatus}` };
  }
}

/** With `held`, only what was granted before is finished: money may have gone back between the control plane's part and billing's. */
async function grant(room: Room, saleorApiUrl: string, order: ShopOrder, held?: string): Promise<Settled> {
  const granted = await room.controlPlane.call<Granted>(
    'POST',
    '/integrations/saleor/order-paid',
    snapshotOf(saleorApiUrl, order, held),
    { retries: 2 },
  );
  if (granted.claim)
    return { state: 'WAITING', reason: 'GUEST: waits for the first sign-in with its e-mail' };
  const topUps = granted.lines.flatMap((line) => {
    const credits = creditsOf(line, order.id);
    return credits
      ? [
          {
            path: '/wallet/topup',
            line: line.lineId,
            body: {
              organizationId: granted.organizationId,
              ...credits,
              order: { saleorApiUrl, orderId: order.id, lineId: line.lineId },
            },
          },
        ]
      : [];
  });
  const refused = await postAll(room, topUps);
  if (refused.some(({ code }) => code === 'TOP_UP_REVOKED'))
    return { state: 'REVOKED', reason: 'taken back while it was granted' };
  const reasons = [
    ...granted.lines.flatMap((line) => (line.outcome === 'parked' ? [`${line.lineId}: ${line.reason}`] : [])),
    ...refused.map(({ line, message }) => `${line}: ${message}`),
  ];
  if (reasons.length) return parked(reasons.join('; '));
  return { state: 'GRANTED', reason: held ?? null };
}

/** What billing is told of a granted line, under the line's own key; undefined when it carries no credits. */
function creditsOf(line: Line, orderId: string): object | undefined {
  const key = `saleor:${orderId}:${line.lineId}`;
  const body = (kind: string, lineKey: string, of: { credits: string; expiresAfterDays: number | null }) => ({
    kind,
    key: lineKey,
    credits: of.credits,
    ...(of.expiresAfterDays ? { expiresAfterDays: of.expiresAfterDays } : {}),
  });
  if (line.outcome === 'creditPack') return body('PAID', key, line);
  if (line.outcome === 'instance' && line.planGrant) return body('PLAN', `${key}:plan`, line.planGrant);
  return undefined;
}

async function revoke(room: Room, key: OrderKey, reason: RevokeReason): Promise<Settled> {
  const { organizationId, topUpLines, revoked } = await room.controlPlane.call<{
    organizationId: string | null;
    topUpLines: string[];
    revoked: boolean;
  }>(
    'POST',
    '/integrations/saleor/order-revoked',
    { saleorApiUrl: key.saleorApiUrl, orderId: key.orderId, reason },
    { retries: 2 },
  );
  if (!revoked) return { state: 'WAITING', reason: `${reason}: before anything was granted` };
  const refused = await postAll(
    room,
    topUpLines.map((line) => {
      const topUpKey = `saleor:${key.orderId}:${line}`;
      return {
        path: '/wallet/clawback',
        line,
        body: { organizationId, key: `revoke:${topUpKey}`, topUpKey },
      };
    }),
  );
  if (refused.length) return parked(refused.map(({ line, message }) => `${line}: ${message}`).join('; '));
  return { state: 'REVOKED', reason };
}

interface Refused {
  readonly line: string;
  readonly code: string;
  readonly message: string;
}

/** Tells billing of every line, whatever becomes of the others; answers what it refused for good, throws what is worth trying again. */
async function postAll(
  room: Room,
  posts: readonly { path: string; line: string; body: object }[],
): Promise<Refused[]> {
  const refused: Refused[] = [];
  const faults: unknown[] = [];
  for (const { path, line, body } of posts)
    await room.billing.call('POST', path, body, { retries: 2 }).catch((error: unknown) => {
      if (error instanceof ServiceError && isDefinite(error))
        refused.push({ line, code: error.code, message: `${error.code}: ${error.message}` });
      else faults.push(error);
    });
  if (faults.length) throw faults[0];
  return refused;
}
