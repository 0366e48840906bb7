import { ShopError } from './errors.ts';

const uuidTypes = new Set(['Order', 'OrderLine', 'Checkout', 'CheckoutLine', 'TransactionItem', 'Warehouse']);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Saleor's global id: base64 (padded) of `Type:pk`. */
export const toId = (type: string, pk: string): string => Buffer.from(`${type}:${pk}`).toString('base64');

/** The parts of a global id; undefined when it is not one. */
export function parseId(id: string): { type: string; pk: string } | undefined {
  const text = Buffer.from(id, 'base64').toString();
  const parts = /^([A-Za-z]+):(.+)$/.exec(text);
  return parts?.[1] && parts[2] ? { type: parts[1], pk: parts[2] } : undefined;
}

/** The pk inside a global id of that type. Throws Saleor's sentence for a malformed id or one of another type. */
export function pkOf(type: string, id: string): string {
  const parts = parseId(id);
  if (!parts || !validPk(parts.type, parts.pk)) throw new ShopError(`Invalid ID: ${id}. Expected: ${type}.`);
  if (parts.type !== type)
    throw new ShopError(`Invalid ID: ${id}. Expected: ${type}, received: ${parts.type}.`);
  return parts.pk;
}

const validPk = (type: string, pk: string): boolean =>
  uuidTypes.has(type) ? uuid.test(pk) : /^[0-9]{1,15}$/.test(pk);
