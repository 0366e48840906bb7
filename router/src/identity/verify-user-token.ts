import { errors, jwtVerify, type JWTPayload } from 'jose';
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
 * Verifies an access token of the identity provider (RFC 9068; Keycloak's, whose header says JWT and whose claim says Bearer): signature by an asymmetric
 * algorithm, issuer, our audience, expiry, a scope. ID and refresh tokens are refused by what they say of themselves, by their audience and for having
 * no scope. Throws UNAUTHENTICATED with the reason, or UnavailableError when the provider's keys cannot be had.
 */
export async function verifyAccessToken(issuer: Deps['issuer'], token: string): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keys, {
      issuer: issuer.url,
      audience: issuer.audience,
      algorithms: ['RS256', 'PS256', 'ES256'],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: 5,
    });
    const isAccessToken =
      /^(at\+jwt|application\/at\+jwt|jwt)$/i.test(protectedHeader.typ ?? 'jwt') &&
      (payload['typ'] === undefined || payload['typ'] === 'Bearer') &&
      typeof payload['scope'] === 'string';
    if (!isAccessToken) throw unauthenticated('The token is not an access token.');
    return payload;
  } catch (error) {
    throw withReason(error);
  }
}

/** An access token of a person: one with an e-mail. Services have none and speak to our processes directly. */
export async function verifyUserToken(issuer: Deps['issuer'], token: string): Promise<UserClaims> {
  const claims = claimsOf(await verifyAccessToken(issuer, token));
  if (!claims) throw unauthenticated('The token carries no e-mail.');
  return claims;
}

/** What a verified access token says of a person; undefined when it is not about one. */
export function claimsOf(payload: JWTPayload): UserClaims | undefined {
  const text = (name: string): string | undefined =>
    typeof payload[name] === 'string' ? payload[name] : undefined;
  const email = text('email');
  if (email === undefined) return undefined;
  return {
    subject: payload.sub!,
    email,
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

const unauthenticated = (reason: string): AccessError => new AccessError('UNAUTHENTICATED', reason);

function withReason(error: unknown): Error {
  if (error instanceof AccessError) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return unauthenticated('The token is of another issuer.');
    if (error.claim === 'aud') return unauthenticated('The token is for another audience.');
    return unauthenticated(`The claim ${error.claim} of the token does not hold.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return unauthenticated('The token is not signed with an algorithm that is accepted here.');
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return unauthenticated('The signature of the token does not hold.');
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
    return unauthenticated('The token is malformed.');
  return refusalOf(error);
}
