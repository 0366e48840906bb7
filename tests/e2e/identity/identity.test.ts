import fs from 'node:fs';
import path from 'node:path';
import {
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type JWK,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Data } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
beforeAll(async () => {
  store = await openStore();
  buyer = await store.signUp();
});
afterAll(() => store.close());

const ask = (authorization: string | undefined, query = '{ viewer { caller email } }') =>
  fetch(store.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(authorization ? { authorization } : {}),
    },
    body: JSON.stringify({ query }),
  });

describe('a token', () => {
  const claims = () => decodeJwt(buyer.token);
  /** The good token again, signed by the provider's own key, but for what is changed: nothing else can be why it is refused. */
  const signed = async (change: (jwt: SignJWT) => SignJWT = (jwt) => jwt) => {
    const { keys } = JSON.parse(
      fs.readFileSync(path.join(store.stateDir, 'identity/identity.json'), 'utf8'),
    ) as { keys: JWK[] };
    const { alg, typ, kid } = decodeProtectedHeader(buyer.token);
    return change(new SignJWT(claims()).setProtectedHeader({ alg: alg!, typ: typ!, kid: kid! })).sign(
      await importJWK(
        keys.find((key) => key.kid === kid)!,
        alg,
      ),
    );
  };
  /** The good token again, signed by a key of somebody else under the provider's key id. */
  const forged = async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const { alg, typ, kid } = decodeProtectedHeader(buyer.token);
    return new SignJWT(claims()).setProtectedHeader({ alg: alg!, typ: typ!, kid: kid! }).sign(privateKey);
  };

  it('signed again as it was holds, so that the next ones are refused for what they change', async () => {
    const answer = await ask(`Bearer ${await signed()}`);
    expect(await answer.json()).toEqual({ data: { viewer: { caller: 'USER', email: buyer.email } } });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['of another key', forged],
    ['of another issuer', () => signed((jwt) => jwt.setIssuer('http://evil.test'))],
    ['for another audience', () => signed((jwt) => jwt.setAudience('http://elsewhere.test'))],
    ['that has expired', () => signed((jwt) => jwt.setExpirationTime('-1h'))],
    ['with alg none', () => new UnsecuredJWT({ ...claims() }).encode()],
    [
      'with another payload under the old signature',
      () =>
        buyer.token.replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ ...claims(), email: 'x@y.z' })).toString('base64url')}.`,
        ),
    ],
    ['that is garbage', () => 'abc.def.ghi'],
    ['that is an unknown API key', () => 'ask_0123456789abcdef0123456789abcdef'],
  ])('%s is 401, and nothing is executed', async (_name, token) => {
    const answer = await ask(`Bearer ${await token()}`);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('of a signed-in person says who they are; without one the catalogue is open and nobody is signed in', async () => {
    expect(await (await ask(`Bearer ${buyer.token}`)).json()).toEqual({
      data: { viewer: { caller: 'USER', email: buyer.email } },
    });
    expect(
      await (await ask(undefined, '{ viewer { email } offerings { edges { node { slug } } } }')).json(),
    ).toEqual({
      data: {
        viewer: null,
        offerings: {
          edges: ['support-agent', 'order-desk', 'help-desk'].map((slug) => ({ node: { slug } })),
        },
      },
    });
  });

  it('opens a socket only when it holds', async () => {
    const client = store.as('not.a.token');
    await expect(
      client.subscribe('subscription { walletChanged(organizationId: "x") { id } }').next(),
    ).rejects.toMatchObject({ code: 4403 });
  });
});

describe('an API key', () => {
  it('is shown once, works within its scopes, sees its own organization only, and ends when it is revoked', async () => {
    const { organizationId, instanceId } = await buyer.withActiveInstance();
    const { apiKeyCreate } = await buyer.query(
      'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key apiKey { id prefix } errors { code } } }',
      {
        input: { organizationId, name: 'CI', scopes: ['run:start', 'run:read', 'instance:read'] },
      },
    );
    const key = store.as(apiKeyCreate.key);
    const started = await key.query<Data>(
      'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code } } }',
      { input: { instanceId, input: 'Hello from a program.', idempotencyKey: 'k' } },
    );
    expect(started.runStart.errors).toEqual([]);
    await expect(
      key.query('query ($id: ID!) { wallet(organizationId: $id) { balance } }', { id: organizationId }),
    ).rejects.toMatchObject({ codes: ['FORBIDDEN'] });
    const stranger = await (await store.signUp()).withActiveInstance();
    expect(
      await key.query('query ($id: ID!) { instance(id: $id) { id } }', { id: stranger.instanceId }),
    ).toEqual({ instance: null });
    await buyer.query(
      'mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { errors { code } } }',
      { input: { id: apiKeyCreate.apiKey.id } },
    );
    const verify = store.stack.mounted
      .clientOf('control-plane', 'router')
      .call('POST', '/internal/api-keys:verify', { key: apiKeyCreate.key });
    await expect(verify).rejects.toMatchObject({ code: 'API_KEY_INVALID' });
  });
});

describe("the shop's ways to make an account", () => {
  it.each([
    'accountRegister(input: { email: "a@b.c", password: "secret secret" })',
    'tokenCreate(email: "a@b.c", password: "x")',
  ])('%s is closed', async (mutation) => {
    const answer = (await (
      await ask(undefined, `mutation { alias: ${mutation} { errors { code } } }`)
    ).json()) as Answer;
    expect(answer.errors[0]!.extensions.code).toBe('FORBIDDEN_OPERATION');
  });

  it('are closed; the userinfo endpoint vouches for verified people only', async () => {
    const userinfo = (token: string) =>
      fetch(`${store.stack.publicOrigin}/oidc/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await userinfo(buyer.token)).json()).toMatchObject({
      email: buyer.email,
      email_verified: true,
    });
    const unverified = await store.signUp({ emailVerified: false });
    expect((await userinfo(unverified.token)).status).toBe(403);
    expect((await userinfo('garbage')).status).toBe(401);
    expect(await unverified.query('{ me { id } }')).toEqual({ me: null });
  });
});
