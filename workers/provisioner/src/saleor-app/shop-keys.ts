import { verifySignatureWithJwks } from '@saleor/app-sdk/auth';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { keepKeys } from './postgres-apl.store.ts';

/** GENUINE; FORGED for good, since the shop's newest keys refuse it; UNKNOWN while they cannot be had. */
export type Verdict = 'GENUINE' | 'FORGED' | 'UNKNOWN';

/** What a delivery is judged by: the raw bytes as text, and the detached JWS over them. */
export interface Signed {
  readonly saleorApiUrl: string;
  /** The keys as they were last kept. */
  readonly jwks: string;
  readonly signature: string;
  readonly body: string;
}

/** A shop's signing keys: kept ones first, fetched anew when they refuse. */
export interface ShopKeys {
  judge(signed: Signed): Promise<Verdict>;
}

const deadlineMs = 2_000;
/** Forged deliveries must not make us ask the shop for each of them. */
const cooldownMs = 10_000;

/**
 * The SDK's own check says FORGED also when it could not fetch the keys, and Saleor never sends such an event again. Within the cooldown the keys
 * just fetched decide; a signature that names a key they do not have is UNKNOWN then, as the shop may have rotated since.
 */
export function createShopKeys(deps: { db: Database; log: Log; now?: () => number }): ShopKeys {
  const now = deps.now ?? Date.now;
  const fetched = new Map<string, { at: number; jwks: Promise<string | undefined> }>();

  async function fetchKeys(saleorApiUrl: string): Promise<string | undefined> {
    try {
      const answer = await fetch(new URL('/.well-known/jwks.json', saleorApiUrl), {
        signal: AbortSignal.timeout(deadlineMs),
        redirect: 'error',
      });
      const text = await answer.text();
      return answer.ok && keyIds(text) ? text : undefined;
    } catch (error) {
      deps.log.warn({ err: error, shop: saleorApiUrl }, "the shop's keys cannot be had");
      return undefined;
    }
  }

  async function newest(saleorApiUrl: string): Promise<{ jwks: string | undefined; fresh: boolean }> {
    const known = fetched.get(saleorApiUrl);
    if (known && now() - known.at < cooldownMs) return { jwks: await known.jwks, fresh: false };
    const asked = { at: now(), jwks: fetchKeys(saleorApiUrl) };
    fetched.set(saleorApiUrl, asked);
    return { jwks: await asked.jwks, fresh: true };
  }

  return {
    async judge({ saleorApiUrl, jwks, signature, body }) {
      if (await isSignedBy(jwks, signature, body)) return 'GENUINE';
      const { jwks: newKeys, fresh } = await newest(saleorApiUrl);
      if (newKeys === undefined) return 'UNKNOWN';
      if (await isSignedBy(newKeys, signature, body)) {
        await keepKeys(deps.db, saleorApiUrl, newKeys);
        return 'GENUINE';
      }
      const kid = keyIdOf(signature);
      return fresh || kid === undefined || keyIds(newKeys)?.includes(kid) ? 'FORGED' : 'UNKNOWN';
    },
  };
}

const isSignedBy = (jwks: string, signature: string, body: string): Promise<boolean> =>
  verifySignatureWithJwks(jwks, signature, body).then(
    () => true,
    () => false,
  );

/** The ids of a key set; undefined when the text is none. */
function keyIds(jwks: string): readonly unknown[] | undefined {
  const keys = parsed(jwks)?.['keys'];
  return Array.isArray(keys) ? keys.map((key: { kid?: unknown } | null) => key?.kid) : undefined;
}

/** The key that a signature says it was made with. */
function keyIdOf(signature: string): unknown {
  return parsed(Buffer.from(signature.split('.')[0] ?? '', 'base64url').toString())?.['kid'];
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
