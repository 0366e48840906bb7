/** The events the app subscribes to. Saleor signs for all its apps with one key, so each query asks who the recipient is. */

const order = 'order { id number }';
const query = (type: string): string =>
  `subscription { event { __typename issuedAt version recipient { id } ... on ${type} { ${order} } } }`;

export const webhookDefinitions = [
  { path: '/webhooks/saleor/order-paid', event: 'ORDER_FULLY_PAID', query: query('OrderFullyPaid') },
  { path: '/webhooks/saleor/order-refunded', event: 'ORDER_REFUNDED', query: query('OrderRefunded') },
  {
    path: '/webhooks/saleor/order-fully-refunded',
    event: 'ORDER_FULLY_REFUNDED',
    query: query('OrderFullyRefunded'),
  },
  { path: '/webhooks/saleor/order-cancelled', event: 'ORDER_CANCELLED', query: query('OrderCancelled') },
] as const;

/** What such a delivery carries. It is a trigger, not the truth: the order is read back from the shop before anything is done. */
export interface OrderDelivery {
  readonly recipient?: { readonly id: string } | null;
  readonly order?: { readonly id: string; readonly number: string } | null;
  readonly errors?: readonly unknown[];
}
