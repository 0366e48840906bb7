import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { listen } from '@agentstore/kernel/testing/http';
import type { ShopOrder } from '../orders/order.ts';

/** The order as the small shop keeps it. */
export type StoredOrder = ShopOrder & { readonly updatedAt: string };

interface Asked {
  readonly query: string;
  readonly variables: {
    readonly id?: string;
    readonly after?: string | null;
    readonly where?: { updatedAt: { gte: string } };
    readonly sortBy?: { field: string; direction: string };
  };
  readonly token: string;
}

/** A shop as far as the provisioner sees it: answers the re-read, the poll and who the token's bearer is, and signs deliveries. */
export interface SmallShop {
  readonly apiUrl: string;
  readonly orders: Map<string, StoredOrder>;
  readonly app: { id: string; identifier: string; token: string };
  /** Every GraphQL request, in order. */
  readonly asked: Asked[];
  /** How often its keys were fetched. */
  keysAsked: number;
  /** Instead of what it would answer; undefined for that. */
  instead: (asked: Asked) => Response | undefined;
  /** False: its keys are answered 503. */
  keysThere: boolean;
  pageSize: number;
  /** The public keys as it serves them now. */
  jwks(): string;
  /** New signing keys; the old ones are gone. */
  rotate(): void;
  /** A delivery of the order, signed as Saleor signs: detached, over the raw bytes. */
  delivery(
    order: string,
    more?: { event?: string; recipient?: string; body?: string },
  ): { headers: Record<string, string>; body: string };
}

const denied = {
  message: 'To access this path, you need one of the following permissions: AUTHENTICATED_APP',
  extensions: { exception: { code: 'PermissionDenied' } },
};

export async function startSmallShop(): Promise<SmallShop> {
  let key = newKey();
  const shop: Omit<SmallShop, 'apiUrl'> = {
    orders: new Map(),
    app: { id: 'QXBwOjE=', identifier: 'agentstore.provisioner', token: 't'.repeat(30) },
    asked: [],
    keysAsked: 0,
    keysThere: true,
    instead: () => undefined,
    pageSize: 50,
    jwks: () => JSON.stringify({ keys: [key.jwk] }),
    rotate: () => void (key = newKey()),
    delivery(order, { event = 'order_fully_paid', recipient = shop.app.id, body } = {}) {
      const known = shop.orders.get(order);
      const text =
        body ??
        `{"issuedAt": "2026-11-22T12:14:47.699862+00:00", "recipient": {"id": "${recipient}"}, "order": {"id": "${order}", "number": "${known?.number ?? '1'}"}}`;
      const header = Buffer.from(
        JSON.stringify({ alg: 'RS256', b64: false, crit: ['b64'], kid: key.jwk.kid, typ: 'JWT' }),
      ).toString('base64url');
      const signature = sign('RSA-SHA256', Buffer.from(`${header}.${text}`), key.privateKey);
      return {
        body: text,
        headers: {
          'content-type': 'application/json',
          'saleor-event': event,
          'saleor-api-url': apiUrl,
          'saleor-domain': new URL(apiUrl).host,
          'saleor-signature': `${header}..${signature.toString('base64url')}`,
        },
      };
    },
  };
  const server = await listen(async (request) => {
    if (new URL(request.url).pathname === '/.well-known/jwks.json') {
      shop.keysAsked += 1;
      return shop.keysThere ? new Response(shop.jwks()) : new Response('', { status: 503 });
    }
    const { query, variables } = (await request.json()) as Omit<Asked, 'token'>;
    const asked = {
      query,
      variables: variables ?? {},
      token: (request.headers.get('authorization') ?? '').replace('Bearer ', ''),
    };
    shop.asked.push(asked);
    return shop.instead(asked) ?? answer(asked);
  });
  const apiUrl = `${server.origin}/graphql/`;

  /** An unknown token is anonymous without a word: it sees the order, not its user. */
  function answer({ query, variables, token }: Asked): Response {
    const known = token === shop.app.token;
    const app = known ? { id: shop.app.id, identifier: shop.app.identifier } : null;
    const errors = known ? {} : { errors: [denied] };
    if (query.includes('orders('))
      return known
        ? Response.json({ data: { app, orders: page(variables) } })
        : Response.json({ data: null, ...errors });
    if (!query.includes('order(')) return Response.json({ data: { app }, ...errors });
    const order = shop.orders.get(variables.id ?? '') ?? null;
    return Response.json({
      data: { app, order: order && !known ? { ...order, user: null } : order },
      ...errors,
    });
  }

  function page({ where, after, sortBy }: Asked['variables']) {
    const changed = [...shop.orders.values()]
      .filter(({ updatedAt }) => updatedAt >= (where?.updatedAt.gte ?? ''))
      .sort((a, b) => (a.updatedAt < b.updatedAt ? -1 : 1) * (sortBy?.direction === 'ASC' ? 1 : -1));
    const from = Number(after ?? 0);
    const edges = changed.slice(from, from + shop.pageSize).map((node) => ({ node }));
    return {
      edges,
      pageInfo: {
        hasNextPage: from + edges.length < changed.length,
        endCursor: String(from + edges.length),
      },
    };
  }
  return Object.assign(shop, { apiUrl });
}

function newKey(): { privateKey: KeyObject; jwk: { kid: string } } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(String(jwk.n)).digest('base64url');
  return { privateKey, jwk: { ...jwk, kid } };
}

const money = (minor: number) => ({ fractionalAmount: minor });

/** A paid order of one plan and one credit pack, 39.00. */
export function paidOrder(id: string, more: Partial<StoredOrder> = {}): StoredOrder {
  return {
    id,
    number: '1',
    status: 'UNFULFILLED',
    chargeStatus: 'FULL',
    updatedAt: new Date().toISOString(),
    channel: { slug: 'default-channel' },
    user: { id: 'VXNlcjo0NQ==' },
    userEmail: 'buyer@example.test',
    total: { gross: money(3_900) },
    totalCharged: money(3_900),
    totalRefunded: money(0),
    transactions: [{ events: [{ type: 'CHARGE_SUCCESS', pspReference: '', amount: money(3_900) }] }],
    metadata: [],
    lines: ['plan', 'pack'].map((variant) => ({
      id: `${id}:${variant}`,
      quantity: 1,
      productVariantId: variant,
      productSku: null,
      metadata: [],
    })),
    ...more,
  };
}

/** The same order after so much of it was refunded by the payment provider. */
export function refunded(order: StoredOrder, minor: number): StoredOrder {
  const left = order.totalCharged.fractionalAmount - minor;
  return {
    ...order,
    chargeStatus: left <= 0 ? 'NONE' : 'PARTIAL',
    updatedAt: new Date().toISOString(),
    totalCharged: money(left),
    totalRefunded: money(order.totalRefunded.fractionalAmount + minor),
    transactions: [
      {
        events: [
          ...order.transactions.flatMap(({ events }) => events),
          { type: 'REFUND_SUCCESS', pspReference: 'refund', amount: money(minor) },
        ],
      },
    ],
  };
}
