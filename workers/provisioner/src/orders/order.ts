/** An order as read back from the shop with the app's token. */
export interface ShopOrder {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly chargeStatus: string;
  readonly updatedAt: string;
  readonly channel: { readonly slug: string };
  readonly user: { readonly id: string } | null;
  readonly userEmail: string | null;
  readonly totalRefunded: { readonly amount: number };
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly lines: readonly {
    readonly id: string;
    readonly quantity: number;
    readonly productVariantId: string | null;
    readonly productSku: string | null;
    readonly metadata: readonly { readonly key: string; readonly value: string }[];
  }[];
}

/** What an order asks for now. `keep`: part of it was refunded; what was granted stays, nothing new is granted. */
export type Decision =
  | { readonly kind: 'grant' }
  | { readonly kind: 'revoke'; readonly reason: 'REFUNDED' | 'CANCELLED' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'wait' };

/**
 * Decides by the order as it is, not by the event that told of it: a late ORDER_FULLY_PAID of a refunded order grants nothing. After a refund Saleor's
 * totals are net (chargeStatus PARTIAL or NONE), and cancelling refunds nothing by itself.
 */
export function decideOrder(order: Pick<ShopOrder, 'status' | 'chargeStatus' | 'totalRefunded'>): Decision {
  if (order.status === 'CANCELED') return { kind: 'revoke', reason: 'CANCELLED' };
  const refunded = order.totalRefunded.amount > 0;
  if (refunded)
    return order.chargeStatus === 'NONE' ? { kind: 'revoke', reason: 'REFUNDED' } : { kind: 'keep' };
  if (order.status === 'EXPIRED' || order.status === 'DRAFT') return { kind: 'wait' };
  return order.chargeStatus === 'FULL' || order.chargeStatus === 'OVERCHARGED'
    ? { kind: 'grant' }
    : { kind: 'wait' };
}

/** The body of the control plane's order-paid, from the order as read. */
export function snapshotOf(saleorApiUrl: string, order: ShopOrder): object {
  const map = (metadata: ShopOrder['metadata']) =>
    Object.fromEntries(metadata.map(({ key, value }) => [key, value]));
  return {
    saleorApiUrl,
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
