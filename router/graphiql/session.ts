import type { Settings } from './settings.ts';

/**
 * Who the page asks as: a person, by an access token, or an organization, by an API key. Kept in this tab's session storage and nowhere else;
 * never in an address, nor in what GraphiQL stores of its tabs.
 */
export interface Session {
  readonly bearer: string;
  /** A person's: lets the page renew the token. */
  readonly refreshToken?: string | undefined;
  /** When the bearer ends, in Unix milliseconds; an API key's is not known. */
  readonly expiresAt?: number | undefined;
}

const sessionKey = 'agentstore.session';
const signInKey = 'agentstore.sign-in';
const redirectUri = (): string => `${location.origin}/graphiql/callback`;

export function storedSession(): Session | null {
  const text = sessionStorage.getItem(sessionKey);
  const session = text ? (JSON.parse(text) as Session) : null;
  return session && (session.refreshToken || !isOver(session)) ? session : null;
}

export function keepSession(session: Session | null): void {
  if (session) sessionStorage.setItem(sessionKey, JSON.stringify(session));
  else sessionStorage.removeItem(sessionKey);
}

/** A minute before its end a token is as good as over: a stream opened with it would not last. */
const isOver = ({ expiresAt }: Session): boolean =>
  expiresAt !== undefined && expiresAt - 60_000 <= Date.now();

interface Endpoints {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
}

async function discover({ issuer }: Settings): Promise<Endpoints> {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Error(`${issuer} answered ${answer.status}.`);
  return (await answer.json()) as Endpoints;
}

/** Leaves for the provider: authorization code flow with PKCE S256 (RFC 7636); it comes back to /graphiql/callback. */
export async function leaveToSignIn(settings: Settings): Promise<void> {
  const { authorization_endpoint: url } = await discover(settings);
  const verifier = randomText();
  const state = randomText();
  sessionStorage.setItem(signInKey, JSON.stringify({ verifier, state }));
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  location.assign(
    `${url}?${new URLSearchParams({
      client_id: settings.clientId,
      response_type: 'code',
      scope: 'openid email profile',
      resource: settings.audience,
      redirect_uri: redirectUri(),
      state,
      code_challenge: base64url(new Uint8Array(challenge)),
      code_challenge_method: 'S256',
    })}`,
  );
}

/** Takes the code that the provider sent back. Throws with its reason when it sent none, or when the answer belongs to no sign-in of this tab. */
export async function completeSignIn(settings: Settings, answer: URLSearchParams): Promise<Session> {
  const begun = JSON.parse(sessionStorage.getItem(signInKey) ?? '{}') as {
    verifier?: string;
    state?: string;
  };
  sessionStorage.removeItem(signInKey);
  const code = answer.get('code');
  if (!code) throw new Error(answer.get('error_description') ?? answer.get('error') ?? 'There is no code.');
  if (!begun.verifier || answer.get('state') !== begun.state)
    throw new Error('This answer belongs to no sign-in of this tab. Sign in again.');
  return askForTokens(settings, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(),
    code_verifier: begun.verifier,
  });
}

/** One renewal at a time: a refresh token is good for one use. */
let renewing: Promise<Session> | undefined;

/** The session with a bearer that lasts: itself, or renewed. Null when it can only be signed in anew. */
export async function lasting(settings: Settings, session: Session): Promise<Session | null> {
  const { refreshToken } = session;
  if (!isOver(session)) return session;
  if (!refreshToken) return null;
  renewing ??= askForTokens(settings, { grant_type: 'refresh_token', refresh_token: refreshToken }).finally(
    () => (renewing = undefined),
  );
  try {
    const renewed = await renewing;
    return { ...renewed, refreshToken: renewed.refreshToken ?? refreshToken };
  } catch {
    return null;
  }
}

async function askForTokens(settings: Settings, grant: Record<string, string>): Promise<Session> {
  const { token_endpoint: url } = await discover(settings);
  const answer = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ client_id: settings.clientId, resource: settings.audience, ...grant }),
  });
  const tokens = (await answer.json()) as {
    access_token?: string;
    refresh_token?: string;
    expires_in?: number;
    error_description?: string;
  };
  if (!tokens.access_token)
    throw new Error(tokens.error_description ?? `The token request answered ${answer.status}.`);
  return {
    bearer: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresAt: tokens.expires_in === undefined ? undefined : Date.now() + tokens.expires_in * 1_000,
  };
}

const randomText = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
