import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { startIdentity, type Identity } from './identity.ts';
import { signIn } from './sign-in.ts';
import { openBrowser } from './testing/browser.ts';

const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-identity-'));
let options: Parameters<typeof startIdentity>[0];
let adminUrl: string;
let child: ChildProcess | undefined;
let identity: Identity | undefined;

beforeAll(async () => {
  const { url: databaseUrl, adminUrl: owner } = await testDatabase();
  adminUrl = owner;
  options = {
    port: await freePort(),
    stateDir,
    databaseUrl,
    publicOrigin: 'http://127.0.0.1:4000',
    log: silentLog,
  };
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await identity?.stop();
  fs.rmSync(stateDir, { recursive: true });
});

const keysAt = async (issuer: string) => (await fetch(`${issuer}/jwks`)).json();
const passwordOfBuyer = () =>
  (
    JSON.parse(fs.readFileSync(path.join(stateDir, 'identity.json'), 'utf8')) as {
      passwords: Record<string, string>;
    }
  ).passwords['buyer@demo.agentstore.dev']!;

it('after kill -9 it is the same provider: keys, people, refresh tokens', async () => {
  child = fork(path.join(import.meta.dirname, 'testing/identity-process.ts'), {
    env: { IDENTITY_OPTIONS: JSON.stringify({ ...options, log: undefined }) },
    execArgv: [],
  });
  const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
  const keys = await keysAt(issuer);
  const person = { email: 'buyer@demo.agentstore.dev', password: passwordOfBuyer() };
  const audience = 'http://127.0.0.1:4000/graphql';
  const before = await signIn({ issuer, clientId: 'agentstore-web', audience, ...person });
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;

  identity = await startIdentity({ ...options, port: Number(new URL(issuer).port) });
  expect(identity.issuer).toBe(issuer);
  expect(await keysAt(issuer)).toEqual(keys);
  expect(identity.users[0]).toMatchObject(person);
  const refreshed = await fetch(identity.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: identity.clientId,
      refresh_token: before.refreshToken!,
    }),
  });
  const { access_token: token } = (await refreshed.json()) as { access_token: string };
  expect(decodeJwt(token).sub).toBe(decodeJwt(before.accessToken).sub);
});

it('keeps what is secret to its owner', () => {
  expect(fs.statSync(path.join(stateDir, 'identity.json')).mode & 0o777).toBe(0o600);
});

it('publishes no private key', async () => {
  const { keys } = (await keysAt(identity!.issuer)) as { keys: Record<string, string>[] };
  expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']]);
});

it('says that it failed, and not why, when its database does; and goes on when that is back', async () => {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const browser = openBrowser(identity!);
  const form = await browser.authorize();
  try {
    await admin.query('alter table dev_identity.artifact rename to elsewhere');
    for (const shown of [await browser.go(form.url), await browser.authorize()]) {
      expect(shown.status).toBe(500);
      expect(shown.text).toContain('This did not work');
      expect(shown.text).not.toMatch(/artifact|relation/);
    }
  } finally {
    await admin.query('alter table dev_identity.elsewhere rename to artifact');
    await admin.end();
  }
  expect((await browser.go(form.url)).text).toContain('name="password"');
});

it('removes what has expired while it runs, and nothing else', async () => {
  const sweeping = await startIdentity({ ...options, port: 0, sweepEveryMs: 20 });
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const kept = async () => {
    const { rows } = await admin.query<{ id: string }>(
      "select id from dev_identity.artifact where model = 'Swept' order by id",
    );
    return rows.map(({ id }) => id);
  };
  try {
    await admin.query(
      `insert into dev_identity.artifact (model, id, payload, expires_at)
       values ('Swept', 'good', '{}', now() + interval '1 hour'), ('Swept', 'over', '{}', now() - interval '1 second')`,
    );
    await expect.poll(() => kept()).toEqual(['good']);
  } finally {
    await admin.end();
    await sweeping.stop();
  }
});
