import { z } from 'zod';
import { UnavailableError } from '../service-client.ts';

/** What we need of a token response (RFC 6749 §5.1). */
const grantSchema = z.object({ access_token: z.string().min(1), expires_in: z.number() });

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
    const { access_token: token, expires_in: seconds } = await grant().catch((error: Error) => {
      throw new UnavailableError('identity provider', `token of ${options.clientId}: ${error.message}`, {
        cause: error,
      });
    });
    held = { token, until: Date.now() + Math.max(5, seconds - 60) * 1_000 };
    return token;
  }

  async function grant(): Promise<z.output<typeof grantSchema>> {
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
    });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    const granted = grantSchema.safeParse(await answer.json());
    if (!granted.success) throw new Error('its answer has no token'); // zod's words could quote what it has
    return granted.data;
  }

  return () => {
    if (held && held.until > Date.now()) return Promise.resolve(held.token);
    underway ??= obtain().finally(() => (underway = undefined));
    return underway;
  };
}
