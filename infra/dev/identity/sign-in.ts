import { createHash, randomBytes } from 'node:crypto';

export interface Tokens {
  readonly accessToken: string;
  readonly idToken: string;
  readonly expiresIn: number;
}

/**
 * Signs a person in as a browser would: authorization request with PKCE S256, the provider's own login form, code for tokens. For the demo and
 * for tests; throws with the page's message when the form is refused.
 */
export async function signIn(options: {
  issuer: string;
  clientId: string;
  audience: string;
  email: string;
  password: string;
}): Promise<Tokens> {
  const redirectUri = 'http://127.0.0.1/callback';
  const verifier = randomBytes(32).toString('base64url');
  const browser = cookieJar();
  const authorize = new URL(`${options.issuer}/auth`);
  authorize.search = new URLSearchParams({
    client_id: options.clientId,
    response_type: 'code',
    scope: 'openid email profile',
    redirect_uri: redirectUri,
    resource: options.audience,
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();

  let at = await browser.get(authorize);
  const form = /action="([^"]+)"/.exec(at.body);
  if (!form)
    throw new Error(
      `the provider showed no sign-in form: ${at.url.searchParams.get('error_description') ?? at.status}`,
    );
  at = await browser.post(new URL(form[1]!, options.issuer), {
    email: options.email,
    password: options.password,
  });
  const code = at.url.searchParams.get('code');
  if (!code)
    throw new Error(
      /role="alert">([^<]+)</.exec(at.body)?.[1] ??
        at.url.searchParams.get('error_description') ??
        'the sign-in was refused',
    );
  const answer = await fetch(`${options.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: options.clientId,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
      resource: options.audience,
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const tokens = (await answer.json()) as {
    access_token?: string;
    id_token?: string;
    expires_in?: number;
    error_description?: string;
  };
  if (!tokens.access_token)
    throw new Error(`the provider gave no token: ${tokens.error_description ?? answer.status}`);
  return {
    accessToken: tokens.access_token,
    idToken: tokens.id_token ?? '',
    expiresIn: tokens.expires_in ?? 0,
  };
}

interface Page {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
}

/** Follows redirects with cookies until a page, or until the client's own redirect URI. */
function cookieJar() {
  const cookies = new Map<string, string>();
  async function go(url: URL, init: RequestInit): Promise<Page> {
    for (let hop = 0; hop < 12; hop++) {
      if (url.pathname === '/callback') return { url, status: 200, body: '' };
      const answer = await fetch(url, {
        ...init,
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        signal: AbortSignal.timeout(10_000),
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (name) cookies.set(name, value ?? '');
      }
      const location = answer.headers.get('location');
      if (!location) return { url, status: answer.status, body: await answer.text() };
      url = new URL(location, url);
      init = { method: 'GET' };
    }
    throw new Error('the provider redirects for ever');
  }
  return {
    get: (url: URL) => go(url, { method: 'GET' }),
    post: (url: URL, form: Record<string, string>) =>
      go(url, { method: 'POST', body: new URLSearchParams(form) }),
  };
}
