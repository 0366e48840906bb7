import { UnavailableError } from '@agentstore/kernel/http/client';
import type { ShopOrder } from './order.ts';

/** The shop answered, and not with what was asked. */
export class ShopError extends Error {
  override readonly name = 'ShopError';
}

export interface ShopAccess {
  readonly saleorApiUrl: string;
  readonly token: string;
}

const deadlineMs = 10_000;
const orderFields = `id number status chargeStatus updatedAt channel { slug } user { id } userEmail totalRefunded { amount }
  metadata { key value } lines { id quantity productVariantId productSku metadata { key value } }`;

/** Asks Saleor with the app's token. Everything goes in variables: its parser refuses a literal null and block strings. */
async function ask<Data>(shop: ShopAccess, query: string, variables: object): Promise<Data> {
  let answer: Response;
  try {
    answer = await fetch(shop.saleorApiUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${shop.token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(deadlineMs),
      redirect: 'error',
    });
  } catch (error) {
    throw new UnavailableError('shop', (error as Error).message, { cause: error });
  }
  if (answer.status >= 500 || answer.status === 429)
    throw new UnavailableError('shop', `it answered ${answer.status}`);
  const body = (await answer.json().catch(() => ({}))) as {
    data?: Data | null;
    errors?: { message: string }[];
  };
  if (!body.data)
    throw new ShopError(`the shop answered ${answer.status}: ${body.errors?.[0]?.message ?? 'no data'}`);
  return body.data;
}

export async function readOrder(shop: ShopAccess, id: string): Promise<ShopOrder | null> {
  return (
    await ask<{ order: ShopOrder | null }>(
      shop,
      `query Order($id: ID!) { order(id: $id) { ${orderFields} } }`,
      { id },
    )
  ).order;
}

/** Ids of orders changed since an instant, oldest change first as far as the shop sorts so; one page. */
export async function changedOrders(
  shop: ShopAccess,
  input: { since: Date; after: string | null },
): Promise<{ orders: { id: string; number: string; updatedAt: string }[]; next: string | null }> {
  const query = `query Changed($where: OrderWhereInput!, $first: Int!, $after: String) {
    orders(where: $where, first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { id number updatedAt } } } }`;
  const { orders } = await ask<{
    orders: {
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
      edges: { node: { id: string; number: string; updatedAt: string } }[];
    };
  }>(shop, query, {
    where: { updatedAt: { gte: input.since.toISOString() } },
    first: 50,
    after: input.after,
  });
  return {
    orders: orders.edges.map(({ node }) => node),
    next: orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null,
  };
}
