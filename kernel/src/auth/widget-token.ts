import { SignJWT, createLocalJWKSet, importJWK, jwtVerify, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';

/** Longest life of a widget token, in seconds. A session goes on with the next one. */
export const mostWidgetTokenSeconds = 900;

const issuer = 'agentstore-router';
const audience = 'agentstore-widget';

const grantSchema = z.object({
  sessionId: z.uuid(),
  visitorId: z.uuid(),
  instanceId: z.uuid(),
  organizationId: z.uuid(),
  /** The site, as a browser says it in the Origin header. */
  origin: z.url({ protocol: /^https?$/ }),
  /** Most that the visitor's runs of the last 24 hours may be charged, in micro-credits. */
  spendCap: z.string().regex(/^\d{1,19}$/),
  /** Whether the visitor may see what tools the agent calls. A token that does not say is one of before it was asked. */
  showToolSteps: z.boolean().default(false),
});

/** What the bearer of a widget token is, and where. */
export type WidgetGrant = z.output<typeof grantSchema>;

/** Signs a grant for `seconds` (at most `mostWidgetTokenSeconds`). */
export type WidgetTokenSigner = (grant: WidgetGrant, seconds: number) => Promise<string>;

/** The grant of a token and when it ends (Unix milliseconds); throws jose's errors, or a ZodError for claims that are none. */
export type WidgetTokenVerifier = (
  token: string,
) => Promise<{ readonly grant: WidgetGrant; readonly expiresAt: number }>;

/** A signer from the router's private Ed25519 JWK. EdDSA, header type `agentstore-widget+jwt`, so that no other token of that key passes for one. */
export async function widgetTokenSigner(privateJwk: JWK): Promise<WidgetTokenSigner> {
  const key = await importJWK(privateJwk, 'EdDSA');
  return (grant, seconds) =>
    new SignJWT({ grant: grantSchema.parse(grant) })
      .setProtectedHeader({ alg: 'EdDSA', kid: privateJwk.kid ?? 'internal', typ: 'agentstore-widget+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(grant.visitorId)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${Math.max(1, Math.min(mostWidgetTokenSeconds, Math.floor(seconds)))}s`)
      .sign(key);
}

/** A verifier with the public keys of `jwks`; no key is ever fetched. No clock skew: signer and verifier are one process or its replicas. */
export function widgetTokenVerifier(jwks: JSONWebKeySet): WidgetTokenVerifier {
  const keys = createLocalJWKSet(jwks);
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ['EdDSA'],
      typ: 'agentstore-widget+jwt',
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      maxTokenAge: mostWidgetTokenSeconds,
    });
    return { grant: grantSchema.parse(payload['grant']), expiresAt: payload.exp! * 1_000 };
  };
}
