import { createHash, randomBytes } from 'node:crypto';

/** A new key: 256 random bits behind `ask_`. Shown once; only its hash is kept. */
export function makeApiKey(): { key: string; prefix: string; hash: string } {
  const key = `ask_${randomBytes(32).toString('base64url')}`;
  return { key, prefix: key.slice(0, 8), hash: hashApiKey(key) };
}

/** sha256, not a slow hash: the key has 256 bits of its own, and it is checked on each request. */
export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex');
