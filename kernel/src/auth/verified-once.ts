import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * Verifies each token once: what it says is remembered until the time that `verify` names (epoch milliseconds), of the `most` tokens that were used last.
 * Throws what `verify` throws, and remembers nothing then.
 */
export function verifiedOnce<T>(
  most: number,
  verify: (token: string) => Promise<{ readonly says: T; readonly until: number }>,
): (token: string) => Promise<T> {
  const verified = new LRUCache<string, { readonly says: T; readonly until: number }>({ max: most });
  return async (token) => {
    const key = hash('sha256', token, 'base64'); // credentials are not kept in memory as keys of a map
    const known = verified.get(key);
    if (known && known.until > Date.now()) return known.says;
    const now = await verify(token);
    verified.set(key, now);
    return now.says;
  };
}
