import { jwtVerify, type JWTPayload } from 'jose';
import { AccessError } from '@agentstore/kernel/access';
import { refusalOf } from '@agentstore/kernel/auth/authenticator';
import type { Deps } from '../deps.ts';

/** What a verified user token says. */
export interface UserClaims {
  readonly subject: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name?: string | undefined;
  readonly givenName?: string | undefined;
  readonly familyName?: string | undefined;
  readonly roles: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Verifies an access token of the identity provider (RFC 9068): signature by an asymmetric algorithm, issuer, our audience, expiry. ID tokens have
 * another audience and no scope, and are refused. Throws UNAUTHENTICATED, or UnavailableError when the provider's keys cannot be had.
 */
export async function verifyUserToken(issuer: Deps['issuer'], token: string): Promise<UserClaims> {
  let payload: JWTPayload;
  try {
    const verified = await jwtVerify(token, issuer.keys, {
      issuer: issuer.url,
      audience: issuer.audience,
      algorithms: ['RS256', 'PS256', 'ES256'],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: 5,
    });
    const { typ } = verified.protectedHeader;
    if (typ !== undefined && !/^(at\+jwt|application\/at\+jwt|jwt)$/i.test(typ))
      throw new AccessError('UNAUTHENTICATED', 'The token is not an access token.');
    payload = verified.payload;
  } catch (error) {
    throw error instanceof AccessError ? error : refusalOf(error);
  }
  const text = (name: string): string | undefined =>
    typeof payload[name] === 'string' ? payload[name] : undefined;
  if (text('scope') === undefined || text('email') === undefined)
    throw new AccessError('UNAUTHENTICATED', 'The token carries no scope or e-mail.');
  return {
    subject: payload.sub!,
    email: text('email')!,
    emailVerified: payload['email_verified'] === true,
    name: text('name'),
    givenName: text('given_name'),
    familyName: text('family_name'),
    roles: Array.isArray(payload['agentstore_roles'])
      ? payload['agentstore_roles'].filter((role) => typeof role === 'string')
      : [],
    expiresAt: payload.exp!,
  };
}
