import { createHash, randomBytes } from 'node:crypto';

/** The provider showed an error instead of going on; the message is what the page or the answer said. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

export interface SignedIn {
  readonly accessToken: string;
  readonly idToken: string;
  readonly refreshToken?: string;
  /** Life of the access token, in seconds. */
  readonly expiresIn: number;
}

const deadlineMs = 10_000;
const mostSteps = 10;

/**
 * Signs a person in as a browser would: authorization request with PKCE S256, the provider's real sign-in form, code for tokens; by fetch and
 * a cookie jar of its own. Throws SignInError for a wrong password or a refused request.
 */
export async function signIn(options: {
  issuer: string;
  clientId: string;
  /** Resource that the access token is for (RFC 8707). */
  audience: string;
  email: string;
  password: string;
  /** Registered for the client; nothing has to listen there. */
  redirectUri?: string;
}): Promise<SignedIn> {
  const { authorization_endpoint: authorizationUrl, token_endpoint: tokenUrl } = await discover(
    options.issuer,
  );
  const redirectUri = options.redirectUri ?? 'http://127.0.0.1/callback';
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const answer = await authorize({
    url: `${authorizationUrl}?${new URLSearchParams({
      client_id: options.clientId,
      response_type: 'code',
      scope: 'openid email profile',
      resource: options.audience,
      redirect_uri: redirectUri,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })}`,
    redirectUri,
    form: { email: options.email, password: options.password },
  });
  if (answer.get('state') !== state) throw new SignInError('The answer belongs to another sign-in.');
  const code = answer.get('code');
  if (!code)
    throw new SignInError(answer.get('error_description') ?? answer.get('error') ?? 'There is no code.');
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: options.clientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: options.audience,
    }),
    signal: AbortSignal.timeout(deadlineMs),
  });
  const tokens = (await response.json()) as Record<string, string> & { expires_in: number };
  if (!response.ok)
    throw new SignInError(tokens['error_description'] ?? `The token request answered ${response.status}.`);
  return {
    accessToken: tokens['access_token']!,
    idToken: tokens['id_token']!,
    ...(tokens['refresh_token'] ? { refreshToken: tokens['refresh_token'] } : {}),
    expiresIn: tokens.expires_in,
  };
}

async function discover(issuer: string): Promise<{ authorization_endpoint: string; token_endpoint: string }> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(deadlineMs),
  });
  if (!response.ok)
    throw new SignInError(`${issuer} answered ${response.status} for its discovery document.`);
  return (await response.json()) as { authorization_endpoint: string; token_endpoint: string };
}

/** Follows redirects, fills the form once, and answers the parameters that come back to the redirect URI. */
async function authorize(options: {
  url: string;
  redirectUri: string;
  form: Record<string, string>;
}): Promise<URLSearchParams> {
  const cookies = new Map<string, string>();
  let url = options.url;
  let body: URLSearchParams | undefined;
  for (let step = 0; step < mostSteps; step++) {
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      ...(body ? { body } : {}),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
    });
    for (const line of response.headers.getSetCookie()) keepCookie(cookies, line);
    const location = response.headers.get('location');
    if (location) {
      await response.body?.cancel();
      url = new URL(location, url).href;
      body = undefined;
      if (url.startsWith(`${options.redirectUri}?`)) return new URL(url).searchParams;
      continue;
    }
    const page = await response.text();
    const fault = /role="alert"[^>]*>([^<]*)</.exec(page)?.[1];
    if (fault || body || !page.includes('name="password"'))
      throw new SignInError(fault ? unescape(fault) : `The sign-in page answered ${response.status}.`);
    body = new URLSearchParams(options.form);
  }
  throw new SignInError('The provider redirects in a circle.');
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';');
  const at = pair.indexOf('=');
  const name = pair.slice(0, at);
  const value = pair.slice(at + 1);
  const expires = attributes.map((text) => text.trim()).find((text) => /^expires=/i.test(text));
  const isOver = expires !== undefined && Date.parse(expires.slice(8)) <= Date.now();
  if (value === '' || isOver) cookies.delete(name);
  else cookies.set(name, value);
}

const unescape = (text: string): string =>
  text.replace(/&#(\d+);/g, (_match, code: string) => String.fromCharCode(Number(code)));
