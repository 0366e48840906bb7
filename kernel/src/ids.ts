import { randomFillSync } from 'node:crypto';

/** A UUID in lower-case text form. Rows are keyed by UUIDv7 so that keys sort by the time they were made (RFC 9562 §5.7). */
export type Uuid = string;

const pool = Buffer.alloc(1024);
let used = pool.length;
let lastMs = 0;
let counter = 0;

/**
 * A new UUIDv7: 48 bits of Unix milliseconds, a 12-bit counter within the millisecond (RFC 9562 §6.2 method 1), 62 random bits.
 * Monotonic within a process, also when the clock steps back. Made in the application, because `uuidv7()` exists only in PostgreSQL 18.
 */
export function uuidv7(now: number = Date.now()): Uuid {
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  if (used + 8 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += 8));
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = ((random[0]! & 0x3f) | 0x80).toString(16).padStart(2, '0');
  const tail = random.toString('hex', 1);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

/** True for the canonical lower-case text form of any UUID version. */
export const isUuid = (text: string): text is Uuid =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

/** The time in a UUIDv7, in Unix milliseconds. */
export const timeOfUuidv7 = (id: Uuid): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** The opaque id of one of our types in the public graph: base64url of `Type:uuid`. Saleor's ids pass through untouched. */
export const toGlobalId = (type: string, id: Uuid): string =>
  Buffer.from(`${type}:${id}`).toString('base64url');

/** The UUID inside a global id of that type; undefined when it is malformed or of another type (the caller answers NOT_FOUND). */
export function fromGlobalId(type: string, globalId: string): Uuid | undefined {
  const text = Buffer.from(globalId, 'base64url').toString();
  const id = text.slice(type.length + 1);
  return text.startsWith(`${type}:`) && isUuid(id) ? id : undefined;
}
