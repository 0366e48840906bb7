import { decodeJwt, decodeProtectedHeader, UnsecuredJWT } from 'jose';
import { expect, it } from 'vitest';
import { customer } from './testing/recorded-shop.ts';
import { describeRecorded, recordedJson } from './testing/recorded.ts';
import { useShop } from './testing/shop.ts';

let ahead = 0;
const under = useShop({ now: () => new Date(Date.now() + ahead) });
const publicQuery = '{products(first:1,channel:"default-channel"){totalCount}}';

it('refuses an expired own token on every field that looks at the requestor, and on no other', async () => {
  const token = await customer(under, 'late@example.com');
  ahead = 301_000;
  const answer = await under.raw(
    { query: `{ me { id } products(first:1,channel:"default-channel"){totalCount} shop { name } }` },
    { authorization: `Bearer ${token}` },
  );
  ahead = 0;
  expect(answer.status).toBe(200);
  expect(
    answer.body.errors?.map(({ message, path, extensions }) => [message, path, extensions.exception.code]),
  ).toEqual([
    ['Signature has expired', ['me'], 'ExpiredSignatureError'],
    ['Signature has expired', ['products'], 'ExpiredSignatureError'],
  ]);
  expect(answer.body.data).toEqual({ me: null, products: null, shop: { name: 'Agent Store dev shop' } });
});

it('refuses an own token without a signature, and one whose key was replaced', async () => {
  const token = await customer(under, 'none@example.com');
  const unsigned = new UnsecuredJWT(decodeJwt(token)).encode();
  const refused = await under.raw({ query: publicQuery }, { authorization: `Bearer ${unsigned}` });
  expect(refused.body.errors?.[0]?.extensions.exception.code).toBe('InvalidSignatureError');
});

it('takes no refresh token for an access token, and refreshes with it', async () => {
  await customer(under, 'fresh@example.com');
  const { tokenCreate } = await under.ask<{ tokenCreate: { refreshToken: string } }>(
    'mutation { tokenCreate(email: "fresh@example.com", password: "a long password") { refreshToken errors { message } } }',
  );
  const misused = await under.raw(
    { query: '{ me { id } }' },
    { authorization: `Bearer ${tokenCreate.refreshToken}` },
  );
  expect(misused.body.errors?.[0]?.extensions.exception.code).toBe('InvalidTokenError');
  const { tokenRefresh } = await under.ask<{ tokenRefresh: { token: string } }>(
    'mutation($token: String!) { tokenRefresh(refreshToken: $token) { token errors { message } } }',
    { token: tokenCreate.refreshToken },
    '',
  );
  expect(decodeJwt(tokenRefresh.token)['type']).toBe('access');
});

it('lets Authorization-Bearer win over Authorization', async () => {
  const token = await customer(under, 'two@example.com');
  const { body } = await under.raw(
    { query: '{ me { email } }' },
    { authorization: `Bearer ${token}`, 'authorization-bearer': await under.shop.staffToken() },
  );
  expect(body.data).toEqual({ me: { email: 'admin@example.com' } });
});

it('accepts the JWT scheme, and no app token of an inactive app', async () => {
  const { appCreate } = await under.ask<{ appCreate: { authToken: string; app: { id: string } } }>(
    'mutation { appCreate(input: { name: "Local", permissions: [MANAGE_ORDERS] }) { authToken app { id } errors { message } } }',
  );
  expect(appCreate.authToken).toHaveLength(30);
  const app = async () =>
    (
      await under.raw(
        { query: '{ app { id } orders(first: 1) { totalCount } }' },
        { authorization: `JWT ${appCreate.authToken}` },
      )
    ).body;
  expect((await app()).data).toMatchObject({ app: { id: appCreate.app.id }, orders: { totalCount: 0 } });
  await under.ask('mutation($id: ID!) { appDeactivate(id: $id) { errors { message } } }', {
    id: appCreate.app.id,
  });
  expect((await app()).errors).toHaveLength(2);
});

it('keeps accounts, tokens and its key over a restart', async () => {
  const token = await customer(under, 'again@example.com');
  await under.restart();
  expect(await under.ask('{ me { email } }', {}, token)).toEqual({ me: { email: 'again@example.com' } });
});

describeRecorded('tokens have the recorded claims', () => {
  it('access, refresh and audience', async () => {
    await customer(under, 'claims@example.com');
    const { tokens } = recordedJson<{
      tokens: Record<string, { header: object; claims: object; lifetimeSeconds: number }>;
    }>('token-claims.json');
    const { tokenCreate } = await under.ask<{ tokenCreate: { token: string; refreshToken: string } }>(
      'mutation { tokenCreate(email: "claims@example.com", password: "a long password", audience: "shop") { token refreshToken errors { message } } }',
    );
    for (const [mine, name] of [
      [tokenCreate.token, 'customer access with audience "shop"'],
      [tokenCreate.refreshToken, 'customer refresh'],
    ] as const) {
      const recorded = tokens[name]!;
      const claims = decodeJwt(mine);
      expect(
        Object.keys(claims)
          .filter((key) => key !== 'aud')
          .sort(),
      ).toEqual(
        Object.keys(recorded.claims)
          .filter((key) => key !== 'aud')
          .sort(),
      );
      expect(claims.exp! - claims.iat!).toBe(recorded.lifetimeSeconds);
      expect(Object.keys(decodeProtectedHeader(mine)).sort()).toEqual(Object.keys(recorded.header).sort());
    }
    expect(decodeJwt(tokenCreate.token).aud).toBe('custom:shop');
  });
});
