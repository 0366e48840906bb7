import { SignJWT, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from 'jose';
import type { Caller } from '../caller.ts';
import { callerClaim } from './caller-claim.ts';

/** Issuer of internal tokens: the edge that verified who is asking. */
export const internalIssuer = 'agentstore-router';

/** How long one internal token is good for, in seconds: one request's hop, not a session. */
export const internalTokenSeconds = 60;

/** Signs what the edge found out about the caller, for one subgraph (`audience`). EdDSA, 60 s. */
export type InternalTokenSigner = (caller: Caller, audience: string) => Promise<string>;

/** A signer from a private Ed25519 JWK (with `kid`). */
export async function internalTokenSigner(privateJwk: JWK): Promise<InternalTokenSigner> {
  const key = await importJWK(privateJwk, 'EdDSA');
  return (caller, audience) =>
    new SignJWT({ caller: callerClaim(caller) })
      .setProtectedHeader({ alg: 'EdDSA', kid: privateJwk.kid ?? 'internal', typ: 'agentstore-internal+jwt' })
      .setIssuer(internalIssuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${internalTokenSeconds}s`)
      .sign(key);
}

/** A new key pair for internal tokens, as JWKs; the public part goes into every subgraph's INTERNAL_JWKS. */
export async function generateInternalKey(kid: string): Promise<{ privateJwk: JWK; jwks: JSONWebKeySet }> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const describe = { kid, alg: 'EdDSA', use: 'sig' };
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...describe },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), ...describe }] },
  };
}
