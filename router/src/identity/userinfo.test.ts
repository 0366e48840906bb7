import fs from 'node:fs';
import path from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../deps.ts';
import { createIssuer } from '../testing/issuer.ts';
import { userInfo } from './userinfo.http.ts';

let issuer: Awaited<ReturnType<typeof createIssuer>>;
let deps: Pick<Deps, 'issuer' | 'staffEmails'>;
beforeAll(async () => {
  issuer = await createIssuer('https://issuer.test', 'https://gateway.agentstore.test');
  deps = {
    issuer: {
      url: issuer.issuer,
      audience: issuer.audience,
      keys: createLocalJWKSet((await (await issuer.fetch()).json()) as JSONWebKeySet),
    },
    staffEmails: ['staff@example.test', '@shop.test'],
  };
});
const asked = async (token: string | undefined) => {
  const answer = await userInfo(
    deps,
    new Request(
      'https://store.test/oidc/userinfo',
      token ? { headers: { authorization: `Bearer ${token}` } } : {},
    ),
  );
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const of = async (change: Parameters<typeof issuer.token>[0], header?: object) =>
  asked(await issuer.token(change, header));

describe('what Saleor is told about the holder of a token', () => {
  it('is who they are, the e-mail in lower case', async () =>
    expect(await of({})).toEqual({
      status: 200,
      body: {
        sub: 'subject-1',
        email: 'buyer@example.test',
        email_verified: true,
        given_name: 'Bo',
        family_name: 'Yer',
      },
    }));

  it.each<[string, Parameters<typeof issuer.token>[0], number, string]>([
    ['expired', { exp: 1 }, 401, 'UNAUTHENTICATED'],
    ['another audience', { aud: 'agentstore-noaud' }, 401, 'UNAUTHENTICATED'],
    ['another issuer', { iss: 'https://evil.test' }, 401, 'UNAUTHENTICATED'],
    ['an ID token', { scope: undefined }, 401, 'UNAUTHENTICATED'],
    ['an e-mail that is not verified', { email_verified: false }, 403, 'EMAIL_NOT_VERIFIED'],
    ['an e-mail said to be verified by a text', { email_verified: 'true' }, 403, 'EMAIL_NOT_VERIFIED'],
    ['a service', { email: undefined, email_verified: false }, 403, 'EMAIL_NOT_VERIFIED'],
    ['staff, by address', { email: 'Staff@Example.test' }, 403, 'STAFF_EMAIL'],
    ['staff, by domain', { email: 'anybody@shop.test' }, 403, 'STAFF_EMAIL'],
  ])('is nothing for %s', async (_name, change, status, code) =>
    expect(await of(change)).toMatchObject({ status, body: { code } }),
  );

  it('is nothing without a token, or for garbage', async () => {
    expect((await asked(undefined)).status).toBe(401);
    expect((await asked('garbage')).status).toBe(401);
  });
});

/** Cases recorded between a running Saleor and an endpoint like this one. */
interface Recorded {
  readonly group: string;
  readonly case: string;
  readonly request: { readonly authorization: { readonly bearer_jwt_payload?: JWTPayload } | null };
  readonly issuer_calls: Readonly<Record<string, number>>;
}
const file = path.join(import.meta.dirname, '../../../../shared/data/saleor/oidc.json');
const there = fs.existsSync(file);
if (!there)
  process.stderr.write(
    'THE RECORDED OIDC CASES ARE MISSING (../shared/data/saleor): userinfo was not compared\n',
  );
it('has the recorded cases where CI runs', () => expect(there || process.env['CI'] !== 'true').toBe(true));

const recorded = there
  ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { cases: Recorded[] }).cases.flatMap((one) => {
      const status = /userinfo Bearer.* -> (\d+)/.exec(Object.keys(one.issuer_calls ?? {}).join())?.[1];
      const claims = one.request?.authorization?.bearer_jwt_payload;
      return one.group === 'own userinfo' && status && claims ? [{ name: one.case, status, claims }] : [];
    })
  : [];

it.runIf(there).each(recorded)('answers as recorded: $name', async ({ status, claims }) => {
  const now = Math.floor(Date.now() / 1_000);
  const answer = await of(
    {
      aud: undefined,
      given_name: undefined,
      family_name: undefined,
      email: undefined,
      scope: undefined,
      ...claims,
      iss: issuer.issuer,
      iat: now,
      exp: now + 300,
    },
    { typ: 'JWT' },
  );
  const told = { sub: claims.sub, email: claims['email'] };
  expect(answer).toMatchObject({ status: Number(status), ...(status === '200' ? { body: told } : {}) });
});
it.runIf(there)('and some were recorded', () => expect(recorded.length).toBeGreaterThan(4));
