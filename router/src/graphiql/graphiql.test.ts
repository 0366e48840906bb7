import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServiceApp } from '@agentstore/kernel/http/service-app';
import { anonymous } from '@agentstore/kernel/caller';
import { silentLog } from '@agentstore/kernel/log';
import type { Deps } from '../deps.ts';
import { graphiqlRoutes } from './graphiql.http.ts';

const build = '0123456789abcdef';
let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'graphiql-'));
  fs.mkdirSync(path.join(dir, 'assets', build), { recursive: true });
  fs.writeFileSync(path.join(dir, 'index.html'), '<!doctype html>');
  fs.writeFileSync(path.join(dir, 'assets', build, 'main.js'), 'export {};');
  fs.writeFileSync(path.join(dir, 'secret.js'), 'secret');
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function ask(at: string, graphiql: Deps['graphiql'] = { dir, clientId: 'web' }) {
  const app = createServiceApp({
    log: silentLog,
    authenticate: async () => anonymous,
    ready: async () => undefined,
  });
  graphiqlRoutes(app, {
    graphiql,
    publicOrigin: 'https://store.test',
    issuer: { url: 'https://id.test/realms/store', audience: 'https://store.test/graphql' },
  } as unknown as Deps);
  return app.request(`https://store.test${at}`);
}

it('allows nothing but our own origin and the issuer', async () => {
  const answer = await ask('/graphiql');
  const policy = answer.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("connect-src 'self' wss://store.test https://id.test;");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe-eval|\*/);
  expect((await ask(`/graphiql/assets/${build}/main.js`)).headers.get('content-security-policy')).toBe(
    policy,
  );
});

it('lets browsers keep assets for ever and ask for the page each time', async () => {
  expect((await ask('/graphiql')).headers.get('cache-control')).toBe('no-cache');
  const asset = await ask(`/graphiql/assets/${build}/main.js`);
  expect(asset.headers.get('cache-control')).toContain('immutable');
  expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
});

it('says where to sign in, and no more', async () =>
  expect(await (await ask('/graphiql/settings.json')).json()).toEqual({
    issuer: 'https://id.test/realms/store',
    clientId: 'web',
    audience: 'https://store.test/graphql',
  }));

it.each([
  `/graphiql/assets/${build}/missing.js`,
  `/graphiql/assets/${build}/..%2f..%2fsecret.js`,
  `/graphiql/assets/..%2f/secret.js`,
  `/graphiql/assets/${build}/main.js.map`,
])('has nothing at %s', async (at) => expect((await ask(at)).status).toBe(404));

it('is said to be unbuilt where it is, and is not there where it is off', async () => {
  const unbuilt = await ask('/graphiql', { dir: path.join(dir, 'nowhere'), clientId: 'web' });
  expect(unbuilt.status).toBe(503);
  expect(await unbuilt.json()).toMatchObject({ code: 'NOT_BUILT' });
  const app = createServiceApp({
    log: silentLog,
    authenticate: async () => anonymous,
    ready: async () => undefined,
  });
  graphiqlRoutes(app, { graphiql: undefined } as unknown as Deps);
  expect((await app.request('https://store.test/graphiql')).status).toBe(404);
});
