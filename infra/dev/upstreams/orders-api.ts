import fs from 'node:fs';
import path from 'node:path';
import { problemResponse } from '@agentstore/kernel/http/problem';

/** The API's description, served at `/v1/openapi.yaml` and the source of the connector's definition. */
export const ordersOpenApi = fs.readFileSync(path.join(import.meta.dirname, 'openapi.yaml'), 'utf8');

const orders = [
  { order: 'A-1042', item: 'Walnut desk', state: 'shipped', expected: '2026-12-02' },
  { order: 'A-1043', item: 'Reading lamp', state: 'packed', expected: '2026-12-04' },
  { order: 'B-2007', item: 'Oak shelf', state: 'delivered', expected: '2026-11-20' },
  { order: 'B-2011', item: 'Desk chair', state: 'returned', expected: '2026-11-17' },
];

/** `GET /v1/orders?text=…` for a caller who was let in. */
export function answerOrders(url: URL): Response {
  const text = url.searchParams.get('text');
  if (!text) return problemResponse({ status: 400, code: 'TEXT_MISSING', title: 'text is missing.' });
  const found = orders.find(({ order }) => text.toUpperCase().includes(order));
  const none = { order: null, item: null, state: null, expected: null };
  return Response.json({ found: found !== undefined, ...(found ?? none) });
}
