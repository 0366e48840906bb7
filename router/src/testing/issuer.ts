import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

/** An identity provider as far as its tokens and keys go. `fetch` serves the keys. */
export async function createIssuer(issuer: string, audience: string) {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  return {
    issuer,
    audience,
    fetch: async (): Promise<Response> => Response.json({ keys: [jwk] }),
    /** An access token of a person; `change` says what is to be different, undefined takes a claim away. */
    token(
      change: { readonly [claim in keyof JWTPayload]: JWTPayload[claim] | undefined } = {},
      header: object = {},
    ): Promise<string> {
      const now = Math.floor(Date.now() / 1_000);
      const claims = {
        iss: issuer,
        aud: audience,
        sub: 'subject-1',
        iat: now,
        exp: now + 300,
        scope: 'openid email profile',
        email: 'Buyer@Example.test',
        email_verified: true,
        given_name: 'Bo',
        family_name: 'Yer',
        ...change,
      };
      return new SignJWT(claims as JWTPayload)
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'k1', ...header })
        .sign(privateKey);
    },
  };
}
