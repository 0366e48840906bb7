import { SignJWT, UnsecuredJWT, decodeJwt, importJWK, type JWTHeaderParameters } from 'jose';
import { expect, it, onTestFinished, vi } from 'vitest';
import { uuidv7 } from '../ids.ts';
import { generateInternalKey } from './internal-token.ts';
import { mostRunTokenSeconds, runTokenIssuer, runTokenSigner, runTokenVerifier } from './run-token.ts';

const audience = 'http://gateway.test';
const { privateJwk, jwks } = await generateInternalKey('runs');
const key = await importJWK(privateJwk, 'EdDSA');
const sign = await runTokenSigner(privateJwk, audience);
const verify = runTokenVerifier(jwks, audience);
const grant = {
  organizationId: uuidv7(),
  projectId: uuidv7(),
  instanceId: uuidv7(),
  runId: uuidv7(),
  fence: 3,
  owner: 'http://127.0.0.1:4007',
  tools: ['orders__find_order'],
  bindings: [uuidv7()],
};

/** A token that is good but for what is changed; times are seconds from now. */
async function forged(
  changed: {
    readonly header?: Partial<JWTHeaderParameters>;
    readonly issuer?: string;
    readonly audience?: string;
    readonly iat?: number;
    readonly nbf?: number;
    readonly exp?: number;
    readonly without?: 'exp' | 'nbf' | 'iat' | 'jti' | 'sub';
    readonly key?: Parameters<SignJWT['sign']>[0];
  } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    grant,
    iss: changed.issuer ?? runTokenIssuer,
    aud: changed.audience ?? audience,
    sub: grant.runId,
    jti: 'j',
    iat: now + (changed.iat ?? 0),
    nbf: now + (changed.nbf ?? 0),
    exp: now + (changed.exp ?? 60),
  };
  if (changed.without) delete (claims as Record<string, unknown>)[changed.without];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'runs', typ: 'agentstore-run+jwt', ...changed.header })
    .sign(changed.key ?? key);
}

it('carries the grant, under an id of its own', async () => {
  const [one, two] = await Promise.all([sign(grant, 60), sign(grant, 60)].map(async (t) => verify(await t)));
  expect(one).toEqual({ ...grant, tokenId: expect.any(String) as string });
  expect(one!.tokenId).not.toBe(two!.tokenId);
  expect(await verify(await forged())).toEqual({ ...grant, tokenId: 'j' });
});

it.each(['organizationId', 'projectId', 'instanceId', 'runId'] as const)(
  'signs no %s that means more than itself in a path of the secret store',
  async (member) => {
    const id = grant[member];
    for (const bad of ['+', '*', '', `${id}/`, `../${id}`, `${id}*`, `${id.slice(0, -1)}+`, id.toUpperCase()])
      await expect(sign({ ...grant, [member]: bad }, 60)).rejects.toThrow(/"path": \[\s*"/);
  },
);

it('signs no binding that is no UUID', async () => {
  await expect(sign({ ...grant, bindings: ['+'] }, 60)).rejects.toThrow(/"bindings"/);
});

it.each<[string, Parameters<typeof forged>[0], string]>([
  ['another audience', { audience: 'http://other.test' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['another issuer', { issuer: 'agentstore-router' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['another type', { header: { typ: 'agentstore-internal+jwt' } }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['a key that is not known', { header: { kid: 'other' } }, 'ERR_JWKS_NO_MATCHING_KEY'],
  ['an end that is more than 5 s ago', { iat: -60, nbf: -60, exp: -7 }, 'ERR_JWT_EXPIRED'],
  ['a beginning that is more than 5 s ahead', { nbf: 8 }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['an age of more than 900 s, whatever its end says', { iat: -907, nbf: -907 }, 'ERR_JWT_EXPIRED'],
  ['no end', { without: 'exp' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['no beginning', { without: 'nbf' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['no time of issue', { without: 'iat' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ['no id', { without: 'jti' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
])('refuses a token with %s', async (_name, changed, code) => {
  await expect(verify(await forged(changed))).rejects.toMatchObject({ code });
});

it('bears with clocks that differ by less than 5 s', async () => {
  for (const times of [{ iat: -60, nbf: -60, exp: -3 }, { nbf: 3 }])
    expect(await verify(await forged(times))).toMatchObject(grant);
});

it('refuses what is signed with nothing, with the public key as a secret, or by another key of the same name', async () => {
  const unsigned = new UnsecuredJWT({ grant, jti: 'j' })
    .setIssuer(runTokenIssuer)
    .setAudience(audience)
    .setSubject(grant.runId)
    .setIssuedAt()
    .setNotBefore('0s')
    .setExpirationTime('60s')
    .encode();
  await expect(verify(unsigned)).rejects.toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  const publicKey = new TextEncoder().encode(JSON.stringify(jwks.keys[0]));
  const confused = await forged({ header: { alg: 'HS256' }, key: publicKey });
  await expect(verify(confused)).rejects.toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  const stranger = await importJWK((await generateInternalKey('runs')).privateJwk, 'EdDSA');
  await expect(verify(await forged({ key: stranger }))).rejects.toMatchObject({
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  });
});

it('lives no longer than it may, however long was asked for, and at least a second', async () => {
  const life = async (seconds: number) => {
    const { iat, exp } = decodeJwt(await sign(grant, seconds));
    return exp! - iat!;
  };
  expect(await Promise.all([86_400, 900, 59.9, 0, -5].map(life))).toEqual([
    mostRunTokenSeconds,
    900,
    59,
    1,
    1,
  ]);
});

it.each([
  ['its end', { exp: 60 }],
  ['the age that it may have', { iat: -840, nbf: -840, exp: 3_600 }],
])('verifies a token once, and takes it no longer than until %s', async (_name, times) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const token = await forged(times);
  const granted = await verify(token);
  expect(await verify(token)).toBe(granted);
  vi.setSystemTime(Date.now() + 59_000);
  expect(await verify(token)).toBe(granted);
  vi.setSystemTime(Date.now() + 7_000);
  await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
});
