import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { signIn, SignInError } from './sign-in.ts';
import { openBrowser } from './testing/browser.ts';
import { useIdentity } from './testing/identity.ts';

const identity = useIdentity();
const buyer = 'buyer@demo.agentstore.dev';
const passwordOf = (email: string) =>
  identity.current.users.find((user) => user.email === email)?.password ?? '';
const signInAs = (email: string, change: Partial<Parameters<typeof signIn>[0]> = {}) =>
  signIn({
    issuer: identity.current.issuer,
    clientId: identity.current.clientId,
    audience: identity.current.audience,
    email,
    password: passwordOf(email),
    ...change,
  });

describe('a person who signs in with PKCE', () => {
  it('gets an access token for the router, signed with a published key', async () => {
    const { accessToken, expiresIn } = await signInAs(buyer);
    const keys = createRemoteJWKSet(new URL(identity.current.jwksUrl));
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
      issuer: identity.current.issuer,
      audience: 'http://127.0.0.1:4000/graphql',
      algorithms: ['RS256'],
      typ: 'at+jwt',
      requiredClaims: ['sub', 'exp', 'iat', 'jti'],
    });
    expect(protectedHeader.kid).toEqual(expect.any(String));
    expect(payload).toMatchObject({
      client_id: 'agentstore-web',
      scope: 'openid email profile',
      email: buyer,
      email_verified: true,
      name: 'Bea Buyer',
      given_name: 'Bea',
      family_name: 'Buyer',
    });
    expect(payload).not.toHaveProperty('agentstore_roles');
    expect(payload.exp! - payload.iat!).toBe(expiresIn);
  });

  it('gets an ID token for the client, about the same person', async () => {
    const { accessToken, idToken } = await signInAs(buyer);
    const id = decodeJwt(idToken);
    expect(id).toMatchObject({ aud: 'agentstore-web', email: buyer, name: 'Bea Buyer' });
    expect(id.sub).toBe(decodeJwt(accessToken).sub);
    expect(decodeProtectedHeader(idToken).typ).not.toBe('at+jwt');
  });

  it('is known as an operator when they are one', async () => {
    const { accessToken } = await signInAs('operator@demo.agentstore.dev');
    expect(decodeJwt(accessToken)['agentstore_roles']).toEqual(['operator']);
  });

  it('is told apart when their e-mail is not verified', async () => {
    const subject = await identity.current.addUser({
      email: 'New.Person@example.test',
      password: 'long enough',
      givenName: 'New',
      familyName: 'Person',
      emailVerified: false,
    });
    const { accessToken } = await signInAs('new.person@EXAMPLE.test', { password: 'long enough' });
    expect(decodeJwt(accessToken)).toMatchObject({
      sub: subject,
      email: 'new.person@example.test',
      email_verified: false,
    });
  });

  it('never gets a scope of the shop, whatever the client asks for', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize({ scope: 'openid saleor:manage_orders saleor:staff' });
    const { url } = await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    const answer = await browser.exchange(url.searchParams.get('code')!);
    const { access_token: token } = (await answer.json()) as { access_token: string };
    expect(decodeJwt(token)['scope']).toBe('openid');
  });

  it.each([undefined, 'saleor:manage_orders'])('gets no token at all for the scope %s', async (scope) => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize({ scope });
    const { url } = await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(url.searchParams.get('code')).toBeNull();
  });

  it('is not asked again in the same browser', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize();
    await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    const again = await browser.authorize({ state: 'second' });
    expect(again.url.searchParams.get('state')).toBe('second');
    expect(again.url.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('goes on with an explicit consent without a question', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize({ prompt: 'login consent' });
    const { url } = await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    expect(url.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('refreshes to a token for the same audience, and an old refresh token ends the family', async () => {
    const browser = openBrowser(identity.current);
    const { refreshToken } = await signInAs(buyer);
    const refresh = (token: string) => browser.token({ grant_type: 'refresh_token', refresh_token: token });
    const first = await refresh(refreshToken!);
    const fresh = (await first.json()) as { access_token: string; refresh_token: string };
    expect(decodeJwt(fresh.access_token)).toMatchObject({ aud: identity.current.audience, email: buyer });
    expect((await refresh(refreshToken!)).status).toBe(400);
    expect((await refresh(fresh.refresh_token)).status).toBe(400);
  });
});

describe('the sign-in form', () => {
  it('refuses a wrong password and an unknown e-mail with the same words', async () => {
    const refusal = 'There is no account with this e-mail and password.';
    await expect(signInAs(buyer, { password: 'wrong' })).rejects.toThrow(new SignInError(refusal));
    await expect(signInAs('nobody@example.test', { password: 'wrong' })).rejects.toThrow(
      new SignInError(refusal),
    );
  });

  it('shows the fault and the e-mail again, and lets the person try once more', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize();
    const refused = await browser.go(form.url, { email: '"><script>', password: 'wrong' });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('role="alert"');
    expect(refused.text).toContain('value="&#34;&#62;&#60;script&#62;"');
    const accepted = await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    expect(accepted.url.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('loads nothing from elsewhere and cannot be framed', async () => {
    const browser = openBrowser(identity.current);
    const { url, text } = await browser.authorize();
    expect(text).not.toMatch(/<script|src=|@import|https?:/);
    const response = await fetch(url); // another browser: no cookie
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('has expired, or was opened in another browser');
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('can be cancelled: the client is told', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize();
    const { url } = await browser.go(form.url, { cancel: 'yes' });
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(url.searchParams.get('state')).toBe('a-state');
  });

  it('refuses a form that is too long', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize();
    expect((await browser.go(form.url, { email: 'x'.repeat(10_000), password: '' })).status).toBe(413);
  });
});

describe('an authorization request', () => {
  it.each([
    [
      'without a challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['with the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for another audience', { resource: 'https://elsewhere.test/' }, 'invalid_target'],
    ['for the audience of services', { resource: 'agentstore:internal' }, 'invalid_target'],
    ['for a token in the front channel', { response_type: 'id_token token' }, 'unsupported_response_type'],
  ])('%s is refused', async (_name, change, code) => {
    const { url } = await openBrowser(identity.current).authorize(change);
    const answer = new URLSearchParams(url.search || url.hash.slice(1));
    expect(answer.get('error')).toBe(code);
    expect(answer.get('code')).toBeNull();
  });

  it.each(['http://127.0.0.1:3000/other', 'http://evil.test/callback', 'https://127.0.0.1:3000/callback'])(
    'that would send the code to %s is shown as an error, not redirected',
    async (redirect) => {
      const shown = await openBrowser(identity.current).authorize({ redirect_uri: redirect });
      expect(shown.status).toBe(400);
      expect(shown.text).toContain('This did not work');
    },
  );

  it('may come back to any port of a loopback address', async () => {
    const signedIn = await signInAs(buyer, { redirectUri: 'http://localhost:54321/auth/callback' });
    expect(signedIn.accessToken).toEqual(expect.any(String));
  });
});

describe('a code', () => {
  const code = async (browser: ReturnType<typeof openBrowser>) => {
    const form = await browser.authorize();
    const { url } = await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    return url.searchParams.get('code')!;
  };

  it('is worth one token, however many present it at once', async () => {
    const browser = openBrowser(identity.current);
    const presented = await code(browser);
    const answers = await Promise.all(Array.from({ length: 6 }, () => browser.exchange(presented)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  });

  it('is worth nothing to one who does not know the verifier', async () => {
    const presented = await code(openBrowser(identity.current));
    const answer = await openBrowser(identity.current).exchange(presented);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('a page of another origin', () => {
  const ask = (origin: string) =>
    openBrowser(identity.current).token({ grant_type: 'refresh_token', refresh_token: 'none' }, { origin });

  it('may use the token endpoint when it is served from this machine', async () => {
    const answer = await ask('http://localhost:3000');
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it.each(['https://evil.test', 'http://127.0.0.1.evil.test', 'null'])('may not from %s', async (origin) => {
    const answer = await ask(origin);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('signing out', () => {
  it('asks, and then the next request shows the form again', async () => {
    const browser = openBrowser(identity.current);
    const form = await browser.authorize();
    await browser.go(form.url, { email: buyer, password: passwordOf(buyer) });
    const question = await browser.go(`${identity.current.issuer}/session/end`);
    expect(question.text).toContain('Sign out?');
    const xsrf = /name="xsrf" value="(\w+)"/.exec(question.text)![1]!;
    const done = await browser.go(`${identity.current.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect(done.text).toContain('Signed out');
    expect((await browser.authorize()).text).toContain('name="password"');
  });
});
