import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import net from 'node:net';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase, type TestDatabase } from '@agentstore/kernel/testing/database';
import { serviceAudience, startIdentity, webClientId, type Identity } from './identity.ts';
import { signIn } from './sign-in.ts';

const audience = 'http://127.0.0.1:4000/graphql';
const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'identity-'));
let database: TestDatabase;
let port: number;
let identity: Identity;
const start = () =>
  startIdentity({
    port,
    stateDir,
    databaseUrl: database.url,
    audience,
    services: { runner: ['run:execute', 'billing:settle'] },
    log: silentLog,
  });

beforeAll(async () => {
  database = await testDatabase();
  port = await new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(free));
    });
  });
  identity = await start();
});
afterAll(async () => {
  await identity.stop();
  fs.rmSync(stateDir, { recursive: true });
});

const buyer = () =>
  signIn({
    issuer: identity.issuer,
    clientId: webClientId,
    audience,
    email: 'buyer@demo.agentstore.dev',
    password: 'buyer',
  });
const askToken = (body: Record<string, string>, secret?: string) =>
  fetch(identity.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams(body),
    headers:
      secret === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`runner:${secret}`).toString('base64')}` },
  });

it('gives a signed-in person an RS256 access token for the graph, with what the shop must know', async () => {
  const { accessToken } = await buyer();
  const { payload, protectedHeader } = await jwtVerify(
    accessToken,
    createRemoteJWKSet(new URL(identity.jwksUrl)),
    { issuer: identity.issuer, audience },
  );
  expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
  expect(payload).toMatchObject({
    email: 'buyer@demo.agentstore.dev',
    email_verified: true,
    given_name: 'Bea',
    family_name: 'Buyer',
  });
  expect(payload['scope']).toContain('email');
  expect(payload['scope']).not.toContain('saleor:');
});

it('says so on the page when the password is wrong', async () => {
  const attempt = signIn({
    issuer: identity.issuer,
    clientId: webClientId,
    audience,
    email: 'buyer@demo.agentstore.dev',
    password: 'guess',
  });
  await expect(attempt).rejects.toThrow('E-mail or password is wrong.');
});

it('refuses an authorization request without PKCE', async () => {
  const url = `${identity.issuer}/auth?client_id=${webClientId}&response_type=code&scope=openid&redirect_uri=http://127.0.0.1/callback`;
  const answer = await fetch(url, { redirect: 'manual' });
  expect(decodeURIComponent(answer.headers.get('location') ?? '')).toMatch(
    /error=invalid_request.*PKCE/,
  );
});

it('gives a service its permissions and no more, and nothing for a wrong secret', async () => {
  const request = { grant_type: 'client_credentials', resource: serviceAudience, scope: 'billing:settle' };
  const granted = (await (await askToken(request, identity.serviceSecrets['runner'])).json()) as {
    access_token: string;
  };
  expect(decodeJwt(granted.access_token)).toMatchObject({
    aud: serviceAudience,
    scope: 'billing:settle',
    client_id: 'runner',
  });
  const asked = (await (
    await askToken({ ...request, scope: 'billing:settle wallet:topup' }, identity.serviceSecrets['runner'])
  ).json()) as { access_token?: string };
  expect(asked.access_token ? decodeJwt(asked.access_token)['scope'] : '').not.toContain('wallet:topup');
  expect((await askToken(request, 'wrong')).status).toBe(401);
});

it('keeps its keys and secrets over a restart', async () => {
  const { accessToken } = await buyer();
  const secret = identity.serviceSecrets['runner'];
  await identity.stop();
  identity = await start();
  await jwtVerify(accessToken, createRemoteJWKSet(new URL(identity.jwksUrl)), {
    issuer: identity.issuer,
    audience,
  });
  expect(identity.serviceSecrets['runner']).toBe(secret);
});
