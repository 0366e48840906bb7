import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { AccessError } from '../access.ts';
import { anonymous, type Caller } from '../caller.ts';
import { UnavailableError } from '../service-client.ts';
import { permissions, type Permission } from '../permissions.ts';
import { callerOfClaim } from './caller-claim.ts';
import { internalIssuer } from './internal-token.ts';
import { verifiedOnce } from './verified-once.ts';

/** Who sent this request. Throws UNAUTHENTICATED for a token that does not verify; no token at all is ANONYMOUS. */
export type Authenticator = (request: Request) => Promise<Caller>;

const trustMs = 60_000;

/**
 * Accepts the two tokens a subgraph or worker may be sent: the router's internal token (audience = this process) and a service's
 * access token from the identity provider (audience = `serviceAudience`, permissions in `scope`). Algorithms are pinned per issuer. A service
 * sends the same token with every request for minutes: it is verified again after `trustMs`, so a key that was taken back is noticed.
 */
export function createAuthenticator(options: {
  audience: string;
  internalJwks: JSONWebKeySet;
  issuer: string;
  serviceAudience: string;
  /** Keys of the identity provider; `createRemoteJWKSet` of jose in production. */
  issuerKeys: JWTVerifyGetKey;
}): Authenticator {
  const internalKeys = createLocalJWKSet(options.internalJwks);
  const service = verifiedOnce(100, serviceOf);
  return async (request) => {
    const header = request.headers.get('authorization');
    if (!header) return anonymous;
    const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
    if (!token) throw new AccessError('UNAUTHENTICATED', 'The authorization header is not a bearer token.');
    try {
      return issuerOf(token) === internalIssuer ? await internal(token) : await service(token);
    } catch (error) {
      throw refusalOf(error);
    }
  };

  async function internal(token: string): Promise<Caller> {
    const { payload } = await jwtVerify(token, internalKeys, {
      issuer: internalIssuer,
      audience: options.audience,
      algorithms: ['EdDSA'],
      typ: 'agentstore-internal+jwt',
      clockTolerance: 5,
    });
    return callerOfClaim(payload['caller']);
  }

  async function serviceOf(token: string): Promise<{ says: Caller; until: number }> {
    const { payload } = await jwtVerify(token, options.issuerKeys, {
      issuer: options.issuer,
      audience: options.serviceAudience,
      algorithms: ['RS256'],
      clockTolerance: 5,
    });
    const scope = typeof payload['scope'] === 'string' ? payload['scope'].split(' ') : [];
    return {
      says: { kind: 'SERVICE', serviceId: clientOf(payload), scopes: scope.filter(isPermission) },
      until: Math.min(Date.now() + trustMs, (payload.exp ?? 0) * 1_000),
    };
  }
}

/** The client a token was given to: `client_id` (RFC 9068), or Keycloak's `azp`. */
const clientOf = (payload: JWTPayload): string => {
  const client = payload['client_id'] ?? payload['azp'];
  return typeof client === 'string' ? client : '';
};

const isPermission = (word: string): word is Permission => (permissions as readonly string[]).includes(word);

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** A verification failure as UNAUTHENTICATED; an issuer whose keys cannot be had as unavailable (not the caller's fault). */
export function refusalOf(error: unknown): Error {
  if (keysAreMissing(error))
    return new UnavailableError('identity provider', 'its keys cannot be had', { cause: error });
  if (error instanceof errors.JWTExpired) return new AccessError('UNAUTHENTICATED', 'The token has expired.');
  return new AccessError('UNAUTHENTICATED', 'The token is not valid here.');
}

const keysAreMissing = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  // jose's plain error, which is of no class of its own: another status than 200, or no JSON.
  (error instanceof errors.JOSEError && error.code === errors.JOSEError.code) ||
  (error instanceof TypeError && error.message === 'fetch failed');
