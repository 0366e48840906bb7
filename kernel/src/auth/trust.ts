import { createRemoteJWKSet, type JSONWebKeySet } from 'jose';
import { UnavailableError } from '../service-client.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';

/** The endpoints of an OpenID provider that we use (OpenID Connect Discovery 1.0 §3). */
export interface IssuerEndpoints {
  readonly jwksUrl: string;
  readonly tokenUrl: string;
}

/** Reads the provider's discovery document. Throws UnavailableError when it cannot be had within 5 s. */
export async function discoverIssuer(issuer: string): Promise<IssuerEndpoints> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    const found = (await answer.json()) as { jwks_uri: string; token_endpoint: string };
    return { jwksUrl: found.jwks_uri, tokenUrl: found.token_endpoint };
  } catch (error) {
    throw new UnavailableError('identity provider', `${url}: ${(error as Error).message}`, { cause: error });
  }
}

/** The authenticator of one process from its configuration (`shared.trust`). */
export function processAuthenticator(options: {
  audience: string;
  issuer: string;
  endpoints: IssuerEndpoints;
  serviceAudience: string;
  internalJwks: string;
}): Authenticator {
  return createAuthenticator({
    audience: options.audience,
    issuer: options.issuer,
    serviceAudience: options.serviceAudience,
    internalJwks: JSON.parse(options.internalJwks) as JSONWebKeySet,
    issuerKeys: createRemoteJWKSet(new URL(options.endpoints.jwksUrl), {
      cooldownDuration: 5_000,
      timeoutDuration: 5_000,
    }),
  });
}
