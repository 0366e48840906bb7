import { importJWK } from 'jose';
import { z } from 'zod';

const kid = z.string().min(1).max(100);
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const common = { kid, use: z.literal('sig').default('sig') };

/** A public key of a customer's server: P-256 (ES256) or Ed25519 (EdDSA). Members that a verifier has no use for are dropped; a private one is refused. */
const identityKeySchema = z.discriminatedUnion('kty', [
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    alg: z.literal('ES256').default('ES256'),
    x: coordinate,
    y: coordinate,
  }),
  z.object({
    ...common,
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    alg: z.literal('EdDSA').default('EdDSA'),
    x: coordinate,
  }),
]);

export type IdentityKey = z.output<typeof identityKeySchema>;

/** So many at a time: one that is used, and the one that takes its place. */
const mostKeys = 2;

/** The keys of a list of JWKs, or what is wrong with it. */
export async function identityKeysOf(
  given: readonly unknown[],
): Promise<{ readonly keys: readonly IdentityKey[] } | { readonly fault: string }> {
  if (given.length > mostKeys) return { fault: `There may be ${mostKeys} keys at a time.` };
  if (given.some((one) => typeof one === 'object' && one !== null && 'd' in one))
    return {
      fault: 'A key has a private part (d): only public ones are given, and that one is not secret any more.',
    };
  const parsed = z.array(identityKeySchema).safeParse(given);
  if (!parsed.success)
    return { fault: 'A key is no public JWK with kid of P-256 (ES256) or Ed25519 (EdDSA).' };
  const keys = parsed.data;
  if (new Set(keys.map((key) => key.kid)).size < keys.length) return { fault: 'Two keys have the same kid.' };
  try {
    for (const key of keys) await importJWK(key);
  } catch {
    return { fault: 'A key is no point of its curve.' };
  }
  return { keys };
}
