import { UnavailableError } from '../service-client.ts';

/** Gives a valid access token of this service, fetching a new one a minute before the old one ends. */
export type TokenSource = () => Promise<string>;

/**
 * Client credentials (RFC 6749 §4.4) with a resource indicator (RFC 8707) at the issuer. Concurrent callers share one request;
 * a failure is thrown as UnavailableError and not kept.
 */
export function serviceTokenSource(options: {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  audience: string;
  scope: readonly string[];
  fetch?: typeof fetch;
}): TokenSource {
  const send = options.fetch ?? fetch;
  let held: { token: string; until: number } | undefined;
  let underway: Promise<string> | undefined;

  async function obtain(): Promise<string> {
    const answer = await send(options.tokenUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: options.audience,
        scope: options.scope.join(' '),
      }),
      signal: AbortSignal.timeout(5_000),
    }).catch((error: Error) => {
      throw new UnavailableError('identity provider', error.message, { cause: error });
    });
    if (!answer.ok)
      throw new UnavailableError(
        'identity provider',
        `token request of ${options.clientId} answered ${answer.status}`,
      );
    const { access_token: token, expires_in: seconds } = (await answer.json()) as {
      access_token: string;
      expires_in: number;
    };
    held = { token, until: Date.now() + Math.max(5, seconds - 60) * 1_000 };
    return token;
  }

  return () => {
    if (held && held.until > Date.now()) return Promise.resolve(held.token);
    underway ??= obtain().finally(() => (underway = undefined));
    return underway;
  };
}
