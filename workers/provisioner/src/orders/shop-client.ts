import { UnavailableError } from '@agentstore/kernel/http/client';
import type { ShopOrder } from './order.ts';

/** The shop answered, and not with what was asked. Never a reason to give an order up: its keys, its proxy or its schema may be mended. */
export class ShopError extends Error {
  override readonly name = 'ShopError';
  /** APP_TOKEN_REFUSED: it does not know us as the app that we are; SHOP_ERROR: anything else. */
  readonly code: 'APP_TOKEN_REFUSED' | 'SHOP_ERROR';
  constructor(code: ShopError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface ShopAccess {
  readonly saleorApiUrl: string;
  readonly token: string;
}
/** Access as the app that was registered. */
export interface AppAccess extends ShopAccess {
  readonly appId: string;
}

const deadlineMs = 10_000;
const amount = '{ fractionalAmount }';
const orderFields = `id number status chargeStatus channel { slug } user { id } userEmail total { gross ${amount} } totalCharged ${amount} totalRefunded ${amount}
  transactions { events { type pspReference amount ${amount} } }
  metadata { key value } lines { id quantity productVariantId productSku metadata { key value } }`;

interface GraphqlError {
  readonly message?: string;
  readonly extensions?: { readonly exception?: { readonly code?: string } };
}

/** Asks Saleor with a token. Everything goes in variables: its parser refuses a literal null and block strings. */
async function post<Data>(shop: ShopAccess, query: string, variables: object = {}): Promise<Data> {
  let status: number;
  let text: string;
  try {
    const answer = await fetch(shop.saleorApiUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${shop.token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(deadlineMs),
      redirect: 'error',
    });
    ({ status } = answer);
    text = await answer.text();
  } catch (error) {
    throw new UnavailableError('shop', (error as Error).message, { cause: error });
  }
  if (status >= 500 || status === 429) throw new UnavailableError('shop', `it answered ${status}`);
  const body = jsonObject<{ data?: Data | null; errors?: readonly GraphqlError[] }>(text);
  // Beside data or not: an anonymous requestor is told other people's orders, with `user` null and an error.
  if (body?.errors?.length) throw refusal(body.errors);
  if (!body?.data) throw new UnavailableError('shop', `it answered ${status} without data`);
  return body.data;
}

function jsonObject<T extends object>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined; // an ingress speaks HTML
  }
}

const tokenFaults = new Set(['PermissionDenied', 'ExpiredSignatureError', 'InvalidTokenError']);

function refusal(errors: readonly GraphqlError[]): ShopError {
  const denied = errors.find((one) => tokenFaults.has(one.extensions?.exception?.code ?? ''));
  return denied
    ? new ShopError('APP_TOKEN_REFUSED', `the shop refused the app's token: ${denied.message}`)
    : new ShopError('SHOP_ERROR', `the shop answered an error: ${errors[0]?.message}`);
}

/** The same as the app that was registered: a token that the shop no longer knows is anonymous there, without a word. */
async function askAsApp<Data>(shop: AppAccess, query: string, variables: object): Promise<Data> {
  const data = await post<Data & { app: { id: string } | null }>(shop, query, variables);
  if (data.app?.id !== shop.appId)
    throw new ShopError(
      'APP_TOKEN_REFUSED',
      `the shop knows the token's bearer as ${data.app?.id ?? 'nobody'}, not as the app ${shop.appId}`,
    );
  return data;
}

/** Which app a token is of: the id in its manifest; undefined when it is no app's. */
export async function appIdentifier(shop: ShopAccess): Promise<string | null | undefined> {
  return (await post<{ app: { identifier: string | null } | null }>(shop, '{ app { identifier } }')).app
    ?.identifier;
}

/** The order as it is now; null when the shop says that there is none. */
export async function readOrder(shop: AppAccess, id: string): Promise<ShopOrder | null> {
  const query = `query Order($id: ID!) { app { id } order(id: $id) { ${orderFields} } }`;
  return (await askAsApp<{ order: ShopOrder | null }>(shop, query, { id })).order;
}

/** An order that changed. */
export interface ChangedOrder {
  readonly id: string;
  readonly number: string;
  readonly updatedAt: string;
}

/** One page of the orders changed since an instant, oldest change first. */
export async function changedOrders(
  shop: AppAccess,
  input: { since: Date; after: string | null },
): Promise<{ orders: ChangedOrder[]; next: string | null }> {
  const query = `query Changed($where: OrderWhereInput!, $sortBy: OrderSortingInput!, $first: Int!, $after: String) {
    app { id } orders(where: $where, sortBy: $sortBy, first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { id number updatedAt } } } }`;
  const { orders } = await askAsApp<{
    orders: {
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
      edges: { node: ChangedOrder }[];
    };
  }>(shop, query, {
    where: { updatedAt: { gte: input.since.toISOString() } },
    sortBy: { field: 'LAST_MODIFIED_AT', direction: 'ASC' },
    first: 50,
    after: input.after,
  });
  return {
    orders: orders.edges.map(({ node }) => node),
    next: orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null,
  };
}
