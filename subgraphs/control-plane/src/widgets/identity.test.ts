import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { identityKeysOf, type IdentityKey } from './identity-key.ts';
import { subjectHashOf } from './identity-token.ts';

type Pair = Awaited<ReturnType<typeof pairOf>>;
async function pairOf(alg: 'ES256' | 'EdDSA' | 'ES384' | 'RS256', kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    alg,
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid },
    secret: { ...(await exportJWK(privateKey)), kid },
  };
}

const widgetKey = 'wk_0123456789abcdefghijkl';
let ec: Pair;
let ed: Pair;
let keys: readonly IdentityKey[];
beforeAll(async () => {
  [ec, ed] = await Promise.all([pairOf('ES256', 'ec-1'), pairOf('EdDSA', 'ed-1')]);
  const read = await identityKeysOf([
    { ...ec.jwk, key_ops: ['verify'] },
    { ...ed.jwk, alg: 'EdDSA', use: 'sig' },
  ]);
  keys = (read as { keys: IdentityKey[] }).keys;
});
const hashOf = (sub: string): string => createHash('sha256').update(sub).digest('hex');
const seconds = (): number => Math.floor(Date.now() / 1_000);
const sign = (
  claims: object,
  { by = ec, header = {} }: { by?: Pair; header?: object } = {},
): Promise<string> =>
  new SignJWT({
    sub: 'customer-7',
    aud: widgetKey,
    iat: seconds(),
    exp: seconds() + 600,
    ...claims,
  } as JWTPayload)
    .setProtectedHeader({ alg: by.alg, kid: by.jwk.kid, ...header })
    .sign(by.privateKey);
const subject = (identity: string) => subjectHashOf(identity, { widgetKey, identityKeys: keys });

describe('a word for a visitor', () => {
  it('holds by either key of the instance, within 5 s of both ends', async () => {
    expect(await subject(await sign({}))).toBe(hashOf('customer-7'));
    expect(await subject(await sign({ sub: 'x' }, { by: ed }))).toBe(hashOf('x'));
    expect(await subject(await sign({ iat: seconds() + 3 }))).toBe(hashOf('customer-7'));
    expect(await subject(await sign({ iat: seconds() - 60, exp: seconds() - 3 }))).toBe(hashOf('customer-7'));
    expect(await subject(await sign({ exp: seconds() + 3_600, sub: 's'.repeat(255) }))).toBe(
      hashOf('s'.repeat(255)),
    );
  });

  it.each<[string, () => Promise<string> | string]>([
    ['of another widget', () => sign({ aud: 'wk_other' })],
    ['without an audience', () => sign({ aud: undefined })],
    ['that has ended', () => sign({ iat: seconds() - 100, exp: seconds() - 10 })],
    ['that does not end', () => sign({ exp: undefined })],
    ['that ends too late', () => sign({ exp: seconds() + 3_601 })],
    ['that was made too long ago', () => sign({ iat: seconds() - 3_700, exp: seconds() - 3 })],
    ['that was not made at a time', () => sign({ iat: undefined })],
    ['made in the future', () => sign({ iat: seconds() + 60, exp: seconds() + 120 })],
    ['about nobody', () => sign({ sub: undefined })],
    ['about an empty name', () => sign({ sub: '' })],
    ['about a name too long', () => sign({ sub: 's'.repeat(256) })],
    ['about half a character', () => sign({ sub: '\ud800' })],
    ['about a number', () => sign({ sub: 7 })],
    ['without kid', () => sign({}, { header: { kid: undefined } })],
    ['with the kid of the other key', () => sign({}, { header: { kid: 'ed-1' } })],
    ['of another key of the same kid', async () => sign({}, { by: await pairOf('ES256', 'ec-1') })],
    ['signed with RS256', async () => sign({}, { by: await pairOf('RS256', 'ec-1') })],
    [
      'signed with nothing',
      () => new UnsecuredJWT({ sub: 's', aud: widgetKey }).setIssuedAt().setExpirationTime('5m').encode(),
    ],
    [
      'signed with the public key as a secret',
      () =>
        new SignJWT({ sub: 's', aud: widgetKey })
          .setProtectedHeader({ alg: 'HS256', kid: 'ec-1' })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(JSON.stringify(ec.jwk))),
    ],
    ['that is none', () => 'a.b.c'],
  ])('%s does not hold', async (_what, made) => expect(await subject(await made())).toBeUndefined());

  it('does not hold where the instance knows no key', async () =>
    expect(await subjectHashOf(await sign({}), { widgetKey, identityKeys: [] })).toBeUndefined());
});

describe('the keys of an instance', () => {
  it('are kept without what a verifier has no use for', () => {
    expect(keys[0]).toEqual({
      kty: 'EC',
      crv: 'P-256',
      alg: 'ES256',
      use: 'sig',
      kid: 'ec-1',
      x: ec.jwk.x,
      y: ec.jwk.y,
    });
    expect(keys[1]).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      alg: 'EdDSA',
      use: 'sig',
      kid: 'ed-1',
      x: ed.jwk.x,
    });
  });

  it('may be none', async () => expect(await identityKeysOf([])).toEqual({ keys: [] }));

  it.each<[string, () => unknown[] | Promise<unknown[]>, RegExp]>([
    ['three', () => [ec.jwk, ed.jwk, { ...ec.jwk, kid: 'ec-2' }], /2 keys/],
    ['two of one kid', () => [ec.jwk, { ...ed.jwk, kid: 'ec-1' }], /same kid/],
    ['a private key', () => [ec.secret], /private part/],
    ['a private key of no value', () => [{ ...ec.jwk, d: null }], /private part/],
    ['no kid', () => [{ ...ec.jwk, kid: undefined }], /with kid/],
    ['a key for encryption', () => [{ ...ec.jwk, use: 'enc' }], /no public JWK/],
    ['a key of another algorithm', () => [{ ...ec.jwk, alg: 'ES384' }], /no public JWK/],
    ['P-384', async () => [(await pairOf('ES384', 'k')).jwk], /no public JWK/],
    ['RSA', async () => [(await pairOf('RS256', 'k')).jwk], /no public JWK/],
    ['a shared secret', () => [{ kty: 'oct', k: 'c2VjcmV0', kid: 'k' }], /no public JWK/],
    ['no point of the curve', () => [{ ...ec.jwk, y: ec.jwk.x }], /no point/],
    ['text', () => ['key'], /no public JWK/],
    ['nothing', () => [null], /no public JWK/],
  ])('are not %s', async (_what, given, fault) =>
    expect(await identityKeysOf(await given())).toEqual({ fault: expect.stringMatching(fault) as string }),
  );
});
