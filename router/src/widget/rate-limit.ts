import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

/** How often something may be done, by key: a bucket each, which fills up evenly and holds a minute's worth. In this process only. */
export interface RateLimit {
  /** Takes one; answers 0, or in how many seconds there is one again. */
  take(key: string): number;
  /** Whoever had the first key goes by the second from now on. */
  rename(from: string, to: string): void;
}

/** Keys that were not seen for longest are forgotten first, and begin with a full bucket again. */
const mostKeys = 20_000;

export function createRateLimit(perMinute: number, now: () => number = Date.now): RateLimit {
  const buckets = new LRUCache<string, { tokens: number; at: number }>({ max: mostKeys });
  const perMs = perMinute / 60_000;
  return {
    take(key) {
      const bucket = buckets.get(key) ?? { tokens: perMinute, at: now() };
      bucket.tokens = Math.min(perMinute, bucket.tokens + (now() - bucket.at) * perMs);
      bucket.at = now();
      buckets.set(key, bucket);
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perMs / 1_000);
      bucket.tokens -= 1;
      return 0;
    },
    rename(from, to) {
      const bucket = buckets.get(from);
      if (bucket) buckets.set(to, bucket);
    },
  };
}

/** What is one client of an address: an IPv4 address, also where it is written as IPv6, and the /64 of an IPv6 one, all of which one subscriber has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.toLowerCase().split('%')[0]!.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
