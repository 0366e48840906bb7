/** An amount in the currency's minor units; `Money.amount` is a float. */
export interface Amount {
  readonly fractionalAmount: number;
}

/** What the money of an order is judged by. */
export interface OrderMoney {
  readonly status: string;
  readonly chargeStatus: string;
  readonly total: { readonly gross: Amount };
  /** Net of reported refunds. */
  readonly totalCharged: Amount;
  readonly totalRefunded: Amount;
  readonly transactions: readonly {
    readonly events: readonly {
      readonly type: string | null;
      readonly pspReference: string;
      readonly amount: Amount;
    }[];
  }[];
}

/** An order as read back from the shop with the app's token. */
export interface ShopOrder extends OrderMoney {
  readonly id: string;
  readonly number: string;
  readonly channel: { readonly slug: string };
  readonly user: { readonly id: string } | null;
  readonly userEmail: string | null;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly lines: readonly {
    readonly id: string;
    readonly quantity: number;
    readonly productVariantId: string | null;
    readonly productSku: string | null;
    readonly metadata: readonly { readonly key: string; readonly value: string }[];
  }[];
}

export type RevokeReason = 'REFUNDED' | 'CANCELLED' | 'CHARGED_BACK';

/** What an order asks for now. `finish`: part of the money went back; what was begun is finished, nothing is begun anew. */
export type Decision =
  | { readonly kind: 'grant' }
  | { readonly kind: 'revoke'; readonly reason: RevokeReason }
  | { readonly kind: 'finish'; readonly held: string }
  | { readonly kind: 'wait' };

/**
 * Decides by the order as it is, not by the event that told of it: a late ORDER_FULLY_PAID of a refunded order grants nothing. By money, not by
 * `chargeStatus` alone: a granted refund lowers what the shop measures it against, so an order refunded in full may still be FULL. Cancelling refunds
 * nothing by itself.
 */
export function decideOrder(order: OrderMoney): Decision {
  if (order.status === 'CANCELED') return { kind: 'revoke', reason: 'CANCELLED' };
  const total = order.total.gross.fractionalAmount;
  const left = moneyLeft(order);
  const refunded = order.totalRefunded.fractionalAmount > 0;
  const events = order.transactions.flatMap((one) => one.events);
  const chargedBack = events.some(({ type }) => type === 'CHARGE_BACK');
  if (total > 0 && left <= 0) {
    if (refunded) return { kind: 'revoke', reason: 'REFUNDED' };
    // A charge that came and is not there any more: charged back, or reported as failed afterwards.
    return chargedBack || events.some(({ type }) => type === 'CHARGE_SUCCESS')
      ? { kind: 'revoke', reason: 'CHARGED_BACK' }
      : { kind: 'wait' };
  }
  if (order.status === 'EXPIRED' || order.status === 'DRAFT') return { kind: 'wait' };
  const wentBack = refunded || chargedBack;
  const paid = order.chargeStatus === 'FULL' || order.chargeStatus === 'OVERCHARGED';
  if (paid && (left >= total || !wentBack)) return { kind: 'grant' };
  if (!wentBack) return { kind: 'wait' };
  return {
    kind: 'finish',
    held: `${refunded ? 'PARTIALLY_REFUNDED' : 'PARTIALLY_CHARGED_BACK'}: part of the money went back before this was granted`,
  };
}

/**
 * What the shop still has of the buyer's money. `totalCharged` is net of refunds that a payment provider reported; a refund stated by hand
 * (transactionUpdate, no pspReference) lowers it only if the lower charge was stated too, which is then a CHARGE_BACK without pspReference.
 */
export function moneyLeft(order: Pick<OrderMoney, 'totalCharged' | 'transactions'>): number {
  const statedRefunds = order.transactions.map(({ events }) => {
    const stated = (type: string): number =>
      events
        .filter((event) => event.type === type && event.pspReference === '')
        .reduce((sum, event) => sum + event.amount.fractionalAmount, 0);
    return Math.max(0, stated('REFUND_SUCCESS') - stated('REFUND_REVERSE') - stated('CHARGE_BACK'));
  });
  return statedRefunds.reduce((left, refund) => left - refund, order.totalCharged.fractionalAmount);
}

/** The body of the control plane's order-paid, from the order as read. `held`: why lines that were not granted before are parked instead. */
export function snapshotOf(saleorApiUrl: string, order: ShopOrder, held?: string): object {
  const map = (metadata: ShopOrder['metadata']) =>
    Object.fromEntries(metadata.map(({ key, value }) => [key, value]));
  return {
    saleorApiUrl,
    ...(held === undefined ? {} : { held }),
    order: {
      id: order.id,
      number: order.number,
      channelSlug: order.channel.slug,
      userId: order.user?.id ?? null,
      userEmail: order.userEmail || null,
      metadata: map(order.metadata),
      lines: order.lines.map((line) => ({
        id: line.id,
        quantity: line.quantity,
        variantId: line.productVariantId,
        sku: line.productSku,
        metadata: map(line.metadata),
      })),
    },
  };
}
