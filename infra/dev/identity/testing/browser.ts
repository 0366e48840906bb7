import { createHash, randomBytes } from 'node:crypto';
import type { Identity } from '../identity.ts';

/** What the provider showed last: a page, or the redirect back to the client. */
export interface Shown {
  readonly status: number;
  readonly url: URL;
  readonly text: string;
}

/** A cookie jar that follows redirects within the provider and stops at the client's address. */
export function openBrowser(identity: Identity) {
  const cookies = new Map<string, string>();
  const verifier = randomBytes(32).toString('base64url');

  async function go(url: string | URL, form?: Record<string, string>): Promise<Shown> {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      ...(form ? { body: new URLSearchParams(form) } : {}),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0]!.split('=') as [string, string];
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (!location) return { status: response.status, url: new URL(url), text };
    const next = new URL(location, url);
    if (next.origin === identity.issuer) return go(next);
    return { status: response.status, url: next, text };
  }

  return {
    verifier,
    go,
    /** The authorization request of `agentstore-web`; a parameter changed to undefined is left out. */
    authorize: (change: Record<string, string | undefined> = {}): Promise<Shown> => {
      const parameters = {
        client_id: identity.clientId,
        response_type: 'code',
        scope: 'openid email profile',
        resource: identity.audience,
        redirect_uri: 'http://127.0.0.1:3000/callback',
        state: 'a-state',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...change,
      };
      const sent = Object.entries(parameters).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return go(`${identity.authorizationUrl}?${new URLSearchParams(sent)}`);
    },
    /** A form post to the token endpoint as the public client. */
    token: (body: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(identity.tokenUrl, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ client_id: identity.clientId, ...body }),
      }),
    /** The exchange of a code that came back. */
    exchange(code: string): Promise<Response> {
      return this.token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: 'http://127.0.0.1:3000/callback',
        code_verifier: verifier,
      });
    },
  };
}
