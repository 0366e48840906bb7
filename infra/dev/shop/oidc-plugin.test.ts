import { beforeAll, expect, it } from 'vitest';
import { audience, useIssuer } from './testing/issuer.ts';
import { customer, signIn } from './testing/recorded-shop.ts';
import { useShop } from './testing/shop.ts';

let ahead = 0;
const issuer = useIssuer();
const under = useShop({ now: () => new Date(Date.now() + ahead) });

const ada = {
  sub: 'u-ada',
  email: 'ada@acme.test',
  email_verified: true,
  given_name: 'Ada',
  family_name: 'L',
  scope: 'openid email',
  aud: audience,
};
const userInfo = 'GET /custom/userinfo Bearer jwt -> 200';

async function me(token: string): Promise<{ email: string; isStaff: boolean } | null> {
  const { body } = await under.raw(
    { query: '{ me { email isStaff } }' },
    { authorization: `Bearer ${token}` },
  );
  return (body.data as { me: { email: string; isStaff: boolean } | null }).me;
}

beforeAll(() =>
  under.shop.setOidcPlugin({
    jwksUrl: `${issuer.origin}/jwks`,
    userInfoUrl: `${issuer.origin}/custom/userinfo`,
    audience,
  }),
);

it('asks the issuer once per token, and takes an expired one for nobody without asking', async () => {
  const token = await issuer.token(ada);
  issuer.reset();
  expect(await me(token)).toMatchObject({ email: 'ada@acme.test' });
  expect(await me(token)).toMatchObject({ email: 'ada@acme.test' });
  expect(issuer.calls[userInfo]).toBe(1);
  ahead = 301_000;
  issuer.reset();
  expect(await me(token)).toBeNull();
  expect(issuer.calls).toEqual({});
  ahead = 0;
});

it('makes one account of parallel first requests', async () => {
  const token = await issuer.token({ ...ada, sub: 'u-crowd', email: 'crowd@acme.test' });
  await Promise.all(Array.from({ length: 8 }, () => me(token)));
  const { customers } = await under.ask<{ customers: { totalCount: number } }>(
    '{ customers(first: 1, search: "crowd@acme.test") { totalCount } }',
  );
  expect(customers.totalCount).toBe(1);
});

it('keeps old keys for an hour: a token of a new key is left to userinfo, and then outlives its exp', async () => {
  await me(await issuer.token(ada));
  await issuer.rotate();
  const young = await issuer.token(ada, 8);
  expect(await me(young)).toMatchObject({ email: 'ada@acme.test' });
  ahead = 60_000;
  expect(await me(young)).toMatchObject({ email: 'ada@acme.test' });
  under.shop.clearOidcCaches();
  expect(await me(young)).toBeNull();
  ahead = 0;
});

it('answers from its cache while the issuer is down, and treats new tokens as nobody', async () => {
  const known = await issuer.token(ada);
  expect(await me(known)).not.toBeNull();
  issuer.down = 503;
  expect(await me(known)).not.toBeNull();
  const unknown = await issuer.token(ada);
  expect(await me(unknown)).toBeNull();
  const { body } = await under.raw(
    { query: '{products(first:1,channel:"default-channel"){totalCount}}' },
    { authorization: `Bearer ${unknown}` },
  );
  expect(body).toEqual({ data: { products: { totalCount: 2 } } });
  under.shop.clearOidcCaches();
  expect(await me(known)).toBeNull();
  issuer.down = undefined;
});

it('confirms an account that a stranger registered, whose password then works: why registration is closed to buyers', async () => {
  await under.ask(
    'mutation { accountRegister(input: { email: "owner@acme.test", password: "a long password", redirectUrl: "http://x" }) { requiresConfirmation errors { message } } }',
  );
  await expect(signIn(under, 'owner@acme.test')).rejects.toThrow('Account needs to be confirmed via email.');
  expect(await me(await issuer.token({ ...ada, sub: 'u-owner', email: 'owner@acme.test' }))).not.toBeNull();
  expect(await signIn(under, 'owner@acme.test')).toBeTruthy();
});

it('gives staff rights to a token with a saleor: scope, takes them back without, and demotes a member of staff', async () => {
  const orders = async (token: string) =>
    (await under.raw({ query: '{ orders(first: 1) { totalCount } }' }, { authorization: `Bearer ${token}` }))
      .body;
  const scoped = await issuer.token({
    ...ada,
    sub: 'u-s',
    email: 's@acme.test',
    scope: 'openid saleor:manage_orders',
  });
  expect((await orders(scoped)).errors).toBeUndefined();
  expect(await me(scoped)).toMatchObject({ isStaff: true });
  const plain = await issuer.token({ ...ada, sub: 'u-s', email: 's@acme.test' });
  expect((await orders(plain)).errors?.[0]?.message).toContain('MANAGE_ORDERS');
  expect(await me(plain)).toMatchObject({ isStaff: false });
});

it('leaves own logins alone while it is on, and issuer tokens to nobody once it is off', async () => {
  const own = await customer(under, 'own@acme.test');
  issuer.reset();
  expect(await me(own)).toMatchObject({ email: 'own@acme.test' });
  expect(issuer.calls).toEqual({});
  await under.ask(
    'mutation { pluginUpdate(id: "mirumee.authentication.openidconnect", input: { active: false }) { errors { message } } }',
  );
  expect(await me(await issuer.token(ada))).toBeNull();
  expect(issuer.calls).toEqual({});
});
