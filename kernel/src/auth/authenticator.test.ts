import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { AccessError } from '../access.ts';
import type { Caller } from '../caller.ts';
import { UnavailableError } from '../service-client.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { generateInternalKey, internalTokenSigner, type InternalTokenSigner } from './internal-token.ts';

const caller: Caller = { kind: 'SERVICE', serviceId: 'router', scopes: ['billing:settle'] };
let authenticate: Authenticator;
let sign: InternalTokenSigner;
let foreignSign: InternalTokenSigner;
let issue: (claims: Record<string, unknown>, change?: (jwt: SignJWT) => SignJWT) => Promise<string>;

beforeAll(async () => {
  const own = await generateInternalKey('own');
  const issuer = await generateKeyPair('RS256', { extractable: true });
  sign = await internalTokenSigner(own.privateJwk);
  foreignSign = await internalTokenSigner((await generateInternalKey('own')).privateJwk);
  issue = (claims, change = (jwt) => jwt) =>
    change(
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'op' })
        .setIssuer('https://op.test')
        .setAudience('agentstore:internal')
        .setExpirationTime('5m'),
    ).sign(issuer.privateKey);
  authenticate = createAuthenticator({
    audience: 'billing',
    internalJwks: own.jwks,
    issuer: 'https://op.test',
    serviceAudience: 'agentstore:internal',
    issuerKeys: createLocalJWKSet({
      keys: [{ ...(await exportJWK(issuer.publicKey)), kid: 'op', alg: 'RS256' }],
    }),
  });
});

const ask = (authorization?: string) =>
  authenticate(new Request('http://x/', { headers: authorization ? { authorization } : {} }));

describe('the authenticator of a subgraph', () => {
  it('reads the caller that the router signed', async () =>
    expect(await ask(`Bearer ${await sign(caller, 'billing')}`)).toEqual(caller));

  it('takes a service token with the permissions of its scope, unknown words dropped', async () => {
    const token = await issue({ client_id: 'runner', scope: 'billing:settle saleor:manage_orders' });
    expect(await ask(`Bearer ${token}`)).toEqual({
      kind: 'SERVICE',
      serviceId: 'runner',
      scopes: ['billing:settle'],
    });
  });

  it('takes no token for nobody', async () => expect(await ask()).toEqual({ kind: 'ANONYMOUS' }));

  it.each<[string, () => Promise<string> | string]>([
    ['an internal token for another subgraph', () => sign(caller, 'runs')],
    ['an internal token of another key with the same kid', () => foreignSign(caller, 'billing')],
    [
      'alg none',
      () => new UnsecuredJWT({ caller }).setIssuer('agentstore-router').setAudience('billing').encode(),
    ],
    [
      'a service token for another audience',
      () => issue({ client_id: 'x' }, (jwt) => jwt.setAudience('elsewhere')),
    ],
    [
      'a service token of another issuer',
      () => issue({ client_id: 'x' }, (jwt) => jwt.setIssuer('https://evil.test')),
    ],
    ['an expired service token', () => issue({ client_id: 'x' }, (jwt) => jwt.setExpirationTime('-1m'))],
    [
      'an issuer token that claims to be internal',
      () => issue({ caller }, (jwt) => jwt.setIssuer('agentstore-router').setAudience('billing')),
    ],
    ['garbage', () => 'abc.def.ghi'],
  ])('refuses %s', async (_name, token) => {
    const error = await ask(`Bearer ${await token()}`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AccessError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ['answers 503', () => new Response('', { status: 503 })],
    ['answers with something else than JSON', () => new Response('<html>')],
    ['answers with no key set', () => Response.json({})],
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ])('calls a good token unavailable, not refused, while the provider of keys %s', async (_name, answer) => {
    const asking = createAuthenticator({
      audience: 'billing',
      internalJwks: { keys: [] },
      issuer: 'https://op.test',
      serviceAudience: 'agentstore:internal',
      issuerKeys: createRemoteJWKSet(new URL('https://op.test/jwks'), {
        [customFetch]: async () => answer(),
      }),
    });
    const token = await issue({ client_id: 'runner', scope: 'billing:settle' });
    await expect(
      asking(new Request('http://x/', { headers: { authorization: `Bearer ${token}` } })),
    ).rejects.toBeInstanceOf(UnavailableError);
  });

  it('refuses another scheme than bearer', async () =>
    expect(ask('Basic abc')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }));
});
