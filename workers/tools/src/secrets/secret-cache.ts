import { LRUCache } from 'lru-cache';
import { copyOfSecret } from '@agentstore/kernel/vault/secret';
import type { Secret, SecretReader, SecretRef } from '@agentstore/kernel/vault/secret-store';

/** A secret for one call: a copy, which `release` overwrites. */
export interface SecretLease {
  readonly secret: Secret;
  release(): void;
}

/** Secrets that were read lately. */
export interface SecretCache {
  /** Throws what the reader throws; that is not kept. */
  lease(ref: SecretRef): Promise<SecretLease>;
  /** Forgets a binding's secret, also one that is being read: whoever asks from now on is answered by a read that begins from now on. */
  drop(bindingId: string): void;
  clear(): void;
}

/**
 * At most one read per binding under way, kept for `ttlMs` (0: not at all). While `isCurrent` says no (nobody tells which secrets were taken back) nothing is kept, and
 * every call reads.
 */
export function createSecretCache(options: {
  readonly reader: Pick<SecretReader, 'read'>;
  readonly ttlMs: number;
  readonly entries: number;
  readonly isCurrent: () => boolean;
}): SecretCache {
  const { reader, ttlMs, isCurrent } = options;
  const held = new LRUCache<string, Secret>({
    max: options.entries,
    ttl: ttlMs,
    ttlAutopurge: true,
    dispose: overwrite,
  });
  const reads = new Map<string, Promise<Secret>>();

  /** The bytes of a read belong to the cache, or to the last who waited for it: a copy is taken in the very turn in which it is answered. */
  function read(ref: SecretRef): Promise<Secret> {
    const key = keyOf(ref);
    const underWay = reads.get(key);
    if (underWay) return underWay;
    const begun = reader.read(ref).then(
      (secret) => {
        if (reads.get(key) === begun) {
          reads.delete(key);
          if (ttlMs > 0 && isCurrent()) held.set(key, secret);
        }
        // What nobody keeps is overwritten once all who waited have their copy.
        if (held.peek(key) !== secret) setImmediate(() => overwrite(secret));
        return secret;
      },
      (error: unknown) => {
        if (reads.get(key) === begun) reads.delete(key);
        throw error;
      },
    );
    reads.set(key, begun);
    return begun;
  }

  return {
    async lease(ref) {
      const secret = (isCurrent() ? held.get(keyOf(ref)) : undefined) ?? (await read(ref));
      const copy = copyOfSecret(secret);
      return { secret: copy, release: () => overwrite(copy) };
    },
    drop(bindingId) {
      for (const kept of [reads, held])
        for (const key of kept.keys()) if (key.endsWith(`/${bindingId}`)) kept.delete(key);
    },
    clear() {
      reads.clear();
      held.clear();
    },
  };
}

/** The whole path: another tenant's ref to the same binding is another secret, which the store itself refuses. */
const keyOf = (ref: SecretRef): string => `${ref.organizationId}/${ref.projectId}/${ref.bindingId}`;

function overwrite({ fields }: Secret): void {
  for (const value of fields.values()) value.fill(0);
}
