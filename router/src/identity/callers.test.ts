import { generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { codesOf, openRouter, type TestRouter } from '../testing/open-router.ts';

let router: TestRouter;
beforeAll(async () => {
  router = await openRouter();
});
const past = () => Math.floor(Date.now() / 1_000) - 60;
const foreignKey = async (alg: string, claims: JWTPayload = {}) =>
  new SignJWT({
    iss: router.issuer.issuer,
    aud: router.issuer.audience,
    scope: 'openid',
    email: 'a@b.c',
    ...claims,
  })
    .setProtectedHeader({ alg, kid: 'k1', typ: 'at+jwt' })
    .setSubject('s')
    .setExpirationTime('5m')
    .sign(
      alg === 'HS256' ? new TextEncoder().encode('x'.repeat(32)) : (await generateKeyPair(alg)).privateKey,
    );
const callerOf = async (token: string) =>
  JSON.parse(String((await router.ask('{ caller }', { token })).data!['caller'])) as Record<string, unknown>;

describe('a token that does not hold is 401 with a reason, and nothing is asked', () => {
  it.each<[string, () => Promise<string> | string, RegExp]>([
    ['expired', () => router.issuer.token({ exp: past() }), /has expired/],
    ['of another issuer', () => router.issuer.token({ iss: 'https://evil.test' }), /another issuer/],
    ['for another audience', () => router.issuer.token({ aud: 'agentstore-web' }), /another audience/],
    ['without an audience', () => router.issuer.token({ aud: undefined }), /audience|claim aud/],
    ['without an end', () => router.issuer.token({ exp: undefined }), /claim exp/],
    ['of another key', () => foreignKey('RS256'), /signature/],
    ['signed by a shared secret', () => foreignKey('HS256'), /algorithm/],
    [
      'with alg none',
      () => new UnsecuredJWT({ iss: router.issuer.issuer, aud: router.issuer.audience, sub: 's' }).encode(),
      /algorithm/,
    ],
    ['an ID token', () => router.issuer.token({ scope: undefined }, { typ: 'JWT' }), /not an access token/],
    [
      "an ID token by Keycloak's claim",
      () => router.issuer.token({ typ: 'ID' }, { typ: 'JWT' }),
      /not an access token/,
    ],
    ['a refresh token', () => router.issuer.token({ typ: 'Refresh' }, { typ: 'JWT' }), /not an access token/],
    ["a service's token", () => router.issuer.token({ email: undefined }), /no e-mail/],
    ['three words', () => 'a.b.c', /malformed/],
    ['garbage', () => 'garbage', /malformed/],
    ['an unknown API key', () => 'ask_unknown', /API key/],
  ])('%s', async (_name, made, reason) => {
    const token = await made();
    const answer = await router.ask('{ shop { name } reviews }', { token });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.errors![0]!.message).toMatch(reason);
    expect(answer.data ?? null).toBeNull();
    const rest = await fetch(`${router.origin}/v1/workspaces/auto`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect([rest.status, rest.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
    await expect(
      router
        .socket({ authorization: `Bearer ${token}` })
        .iterate({ query: '{ reviews }' })
        .next(),
    ).rejects.toMatchObject({ code: 4403 });
  });

  it('something that is no bearer', async () =>
    expect((await router.ask('{ reviews }', { headers: { authorization: 'Basic YTpi' } })).status).toBe(401));
});

describe('a caller', () => {
  it('is a person with what the control plane knows of them, operator by claim', async () => {
    const organizationId = uuidv7();
    router.controlPlane.people.set('op', {
      userId: uuidv7(),
      saleorUserId: null,
      memberships: [{ organizationId, role: 'OWNER' }],
    });
    const token = await router.issuer.token({ sub: 'op', agentstore_roles: ['operator'] }, { typ: 'JWT' });
    expect(await callerOf(token)).toMatchObject({
      kind: 'USER',
      subject: 'op',
      operator: true,
      memberships: [{ organizationId, role: 'OWNER' }],
    });
  });

  it('is asked about once in a while, by all who ask at once together, and again after a mutation of theirs', async () => {
    const token = await router.issuer.token({ sub: 'busy' });
    const asked = () =>
      router.controlPlane.asked.filter((path) => path === '/internal/callers:resolve').length;
    const before = asked();
    await Promise.all(Array.from({ length: 8 }, () => router.ask('{ caller }', { token })));
    expect(asked() - before).toBe(1);
    router.controlPlane.people.get('busy')!.memberships.push({ organizationId: uuidv7(), role: 'MEMBER' });
    expect(await callerOf(token)).toMatchObject({ memberships: [] });
    await router.ask('mutation { bookAdd(id: "1") { id } }', { token });
    expect((await callerOf(token))['memberships']).toHaveLength(1);
  });

  it('is in the next subgraph who they became by the mutation before', async () => {
    const token = await router.issuer.token({ sub: 'joiner' });
    const { data } = await router.ask('mutation { bookAdd(id: "1") { rater } }', { token });
    expect(data).toEqual({ bookAdd: { rater: 'USER' } });
  });

  it('is served however many organizations took them in, with what they own', async () => {
    const memberships = Array.from({ length: 1_000 }, () => ({
      organizationId: uuidv7(),
      role: 'MEMBER' as const,
    }));
    const own = { organizationId: uuidv7(), role: 'OWNER' as const };
    router.controlPlane.people.set('popular', {
      userId: uuidv7(),
      saleorUserId: 'VXNlcjox',
      memberships: [...memberships, own],
    });
    const overHttp = await openRouter({ transport: 'http' });
    overHttp.controlPlane.people.set('popular', router.controlPlane.people.get('popular')!);
    const token = await overHttp.issuer.token({ sub: 'popular' });
    const answer = await overHttp.ask('{ caller }', { token });
    expect(answer.errors).toBeUndefined();
    expect(JSON.parse(String(answer.data!['caller']))).toMatchObject({
      memberships: [own, ...memberships.slice(0, 299)],
    });
  });

  it('that ended its own credential by the mutation before is UNAUTHENTICATED in the next subgraph', async () => {
    router.controlPlane.apiKeys.set('ask_last', { apiKeyId: uuidv7(), organizationId: uuidv7(), scopes: [] });
    await router.ask('{ caller }', { token: 'ask_last' });
    router.controlPlane.apiKeys.delete('ask_last');
    const answer = await router.ask('mutation { bookAdd(id: "1") { title rater } }', { token: 'ask_last' });
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.errors![0]!.message).toMatch(/API key/);
  });

  it('is known to the shop by an id that is learnt once', async () => {
    await router.ask('{ caller }', { token: await router.issuer.token({ sub: 'shopper' }) });
    await expect.poll(() => router.controlPlane.people.get('shopper')!.saleorUserId).toBe('VXNlcjox');
    const second = await router.issuer.token({ sub: 'shopper', jti: 'second' });
    router.shop.asked.length = 0;
    expect(await callerOf(second)).toMatchObject({ saleorUserId: 'VXNlcjox' });
    expect(router.shop.asked).toEqual([]);
  });

  it('is an API key with its scopes', async () => {
    const key = { apiKeyId: uuidv7(), organizationId: uuidv7(), scopes: ['run:start'] };
    router.controlPlane.apiKeys.set('ask_mine', key);
    expect(await callerOf('ask_mine')).toEqual({ kind: 'API_KEY', ...key });
  });

  it('is nobody without a credential', async () =>
    expect(JSON.parse(String((await router.ask('{ caller }')).data!['caller']))).toEqual({
      kind: 'ANONYMOUS',
    }));
});

it('publishes the keys of internal tokens, without the secret part', async () => {
  const { keys } = (await (await fetch(`${router.origin}/.well-known/internal-jwks.json`)).json()) as {
    keys: object[];
  };
  expect(keys).toMatchObject([{ kty: 'OKP', crv: 'Ed25519', kid: 'test' }]);
  expect(keys[0]).not.toHaveProperty('d');
});
