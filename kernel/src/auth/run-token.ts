import { SignJWT, createLocalJWKSet, importJWK, jwtVerify, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';
import { verifiedOnce } from './verified-once.ts';

/** Issuer of run tokens: the subgraph that owns runs. */
export const runTokenIssuer = 'agentstore-runs';

/** Longest life of a run token, in seconds. A run that lasts longer makes no tool calls after it. */
export const mostRunTokenSeconds = 900;

// Ids end up in paths of the secret store, where `+` and `*` are wildcards and `/` is a separator: they are checked where they are signed.
const grantSchema = z.object({
  organizationId: z.uuid().lowercase(),
  projectId: z.uuid().lowercase(),
  instanceId: z.uuid().lowercase(),
  runId: z.uuid().lowercase(),
  /** Of the run's owner when the token was made: a later owner has another token. */
  fence: z.int().min(1),
  /** Origin of the run's owner, who is told of each tool call. */
  owner: z.url({ protocol: /^https?$/ }),
  /** Tools that may be called, by their names at the gateway. */
  tools: z.array(z.string().min(1).max(200)).max(256),
  /** Connector bindings that may be used. */
  bindings: z.array(z.uuid().lowercase()).max(256),
});

/** What a run may do at the tool gateway. */
export type RunGrant = z.output<typeof grantSchema>;

/** Signs a run's grant, for `seconds` (at most `mostRunTokenSeconds`). Throws for an id that is no UUID. */
export type RunTokenSigner = (grant: RunGrant, seconds: number) => Promise<string>;

/** The grant of a run token; throws jose's errors, or a ZodError for claims that are none. */
export type RunTokenVerifier = (token: string) => Promise<Verified>;
type Verified = Readonly<RunGrant> & { readonly tokenId: string };

/** How many tokens a verifier remembers: runs that call tools at the same time. */
const mostRemembered = 10_000;

/** A signer from a private Ed25519 JWK (with `kid`); `audience` is the gateway's origin. EdDSA, header type `agentstore-run+jwt`. */
export async function runTokenSigner(privateJwk: JWK, audience: string): Promise<RunTokenSigner> {
  const key = await importJWK(privateJwk, 'EdDSA');
  return async (grant, seconds) =>
    new SignJWT({ grant: grantSchema.parse(grant) })
      .setProtectedHeader({ alg: 'EdDSA', kid: privateJwk.kid ?? 'runs', typ: 'agentstore-run+jwt' })
      .setIssuer(runTokenIssuer)
      .setAudience(audience)
      .setSubject(grant.runId)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime(`${Math.max(1, Math.min(mostRunTokenSeconds, Math.floor(seconds)))}s`)
      .sign(key);
}

/**
 * A verifier for one audience with the public keys of `jwks`; no key is ever fetched. 5 s of clock skew. A token that comes with each call of its run is verified
 * once: until it ends, nothing that was asked of it could be answered differently, since its keys are fixed.
 */
export function runTokenVerifier(jwks: JSONWebKeySet, audience: string): RunTokenVerifier {
  const keys = createLocalJWKSet(jwks);
  return verifiedOnce(mostRemembered, async (token) => {
    const { payload } = await jwtVerify(token, keys, {
      issuer: runTokenIssuer,
      audience,
      algorithms: ['EdDSA'],
      typ: 'agentstore-run+jwt',
      clockTolerance: 5,
      requiredClaims: ['exp', 'nbf', 'iat', 'jti', 'sub'],
      maxTokenAge: mostRunTokenSeconds,
    });
    return {
      says: { ...grantSchema.parse(payload['grant']), tokenId: payload.jti! },
      until: Math.min(payload.exp!, payload.iat! + mostRunTokenSeconds) * 1_000,
    };
  });
}
