import {
  createLocalJWKSet,
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type JWTPayload,
} from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyUserToken } from './verify-user-token.ts';

const issuer = {
  url: 'https://op.test',
  audience: 'https://store.test/graphql',
  keys: createLocalJWKSet({ keys: [] }),
};
const person = {
  scope: 'openid email',
  email: 'a@b.test',
  email_verified: true,
  agentstore_roles: ['operator'],
};
let privateKey: CryptoKey;
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  issuer.keys = createLocalJWKSet({
    keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256' }],
  });
});
const token = (
  claims: JWTPayload = person,
  change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
  header: object = {},
) =>
  change(
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'k', ...header })
      .setSubject('s')
      .setIssuer(issuer.url)
      .setAudience(issuer.audience)
      .setExpirationTime('5m'),
  ).sign(privateKey);

describe('an access token', () => {
  it('says who is asking', async () => {
    expect(await verifyUserToken(issuer, await token())).toMatchObject({
      subject: 's',
      email: 'a@b.test',
      emailVerified: true,
      roles: ['operator'],
    });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['expired', () => token(person, (jwt) => jwt.setExpirationTime('-1m'))],
    ['for another audience', () => token(person, (jwt) => jwt.setAudience('agentstore-web'))],
    ['of another issuer', () => token(person, (jwt) => jwt.setIssuer('https://evil.test'))],
    ['without scope, as an ID token', () => token({ email: 'a@b.test' })],
    ['without e-mail, as a service token', () => token({ scope: 'billing:settle' })],
    ['of type ID', () => token(person, (jwt) => jwt, { typ: 'id+jwt' })],
    [
      'with alg none',
      () =>
        new UnsecuredJWT(person)
          .setIssuer(issuer.url)
          .setAudience(issuer.audience)
          .setExpirationTime('5m')
          .encode(),
    ],
    [
      'signed by a shared secret',
      () =>
        new SignJWT(person)
          .setProtectedHeader({ alg: 'HS256', kid: 'k' })
          .setIssuer(issuer.url)
          .setAudience(issuer.audience)
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode('x'.repeat(32))),
    ],
    ['that is garbage', () => 'a.b.c'],
  ])('%s is refused', async (_name, made) => {
    await expect(verifyUserToken(issuer, await made())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('cannot be judged while the keys cannot be had: that is no fault of the caller', async () => {
    const keys = createRemoteJWKSet(new URL('http://127.0.0.1:1/jwks'), { timeoutDuration: 200 });
    await expect(verifyUserToken({ ...issuer, keys }, await token())).rejects.toMatchObject({
      name: 'UnavailableError',
    });
  });
});
