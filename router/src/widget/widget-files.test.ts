import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServiceApp } from '@agentstore/kernel/http/service-app';
import { anonymous } from '@agentstore/kernel/caller';
import { silentLog } from '@agentstore/kernel/log';
import { listen } from '@agentstore/kernel/testing/http';
import type { Deps, WidgetSettings } from '../deps.ts';
import { widgetFileRoutes } from './widget-files.http.ts';

const loader = 'loader();'.repeat(50);
let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'widget-'));
  for (const at of ['v1', '1.2.3', 'assets']) fs.mkdirSync(path.join(dir, at));
  for (const [file, text] of Object.entries({
    'v1/loader.js': loader,
    '1.2.3/loader.js': loader,
    'assets/app.0a1B2c3D.js': 'app();',
    'versions.json': '{}',
    'secret.js': 'secret',
    'secret.1.js': 'secret',
  }))
    fs.writeFileSync(path.join(dir, file), text);
  for (const version of ['v1', '1.2.3']) {
    fs.writeFileSync(path.join(dir, version, 'loader.js.br'), brotliCompressSync(loader));
    fs.writeFileSync(path.join(dir, version, 'loader.js.gz'), gzipSync(loader));
  }
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function appOf(widget: Partial<WidgetSettings>) {
  const app = createServiceApp({
    log: silentLog,
    authenticate: async () => anonymous,
    ready: async () => undefined,
  });
  widgetFileRoutes(app, { widget } as Deps);
  return app;
}
const ask = async (
  at: string,
  headers: Record<string, string> = {},
  widget: Partial<WidgetSettings> = { dir },
) => appOf(widget).request(`https://store.test${at}`, { headers });

it.each([
  ['/widget/v1/loader.js', 'public, max-age=300, must-revalidate', 'text/javascript; charset=utf-8'],
  ['/widget/versions.json', 'public, max-age=300, must-revalidate', 'application/json'],
  ['/widget/1.2.3/loader.js', 'public, max-age=31536000, immutable', 'text/javascript; charset=utf-8'],
  ['/widget/assets/app.0a1B2c3D.js', 'public, max-age=31536000, immutable', 'text/javascript; charset=utf-8'],
])('serves %s to pages of every site', async (at, cacheControl, contentType) => {
  const answer = await ask(at);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': cacheControl,
    'content-type': contentType,
    vary: 'Accept-Encoding',
  });
});

it('is asked for again only when it is another', async () => {
  const etag = (await ask('/widget/v1/loader.js')).headers.get('etag')!;
  for (const known of [etag, `"x", ${etag}`, etag.replace('W/', ''), '*']) {
    const answer = await ask('/widget/v1/loader.js', { 'if-none-match': known });
    expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, etag, '']);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  }
  fs.writeFileSync(path.join(dir, 'v1/loader.js'), `${loader}//`);
  const changed = await ask('/widget/v1/loader.js', { 'if-none-match': etag });
  expect(changed.status).toBe(200);
  fs.writeFileSync(path.join(dir, 'v1/loader.js'), loader);
});

it.each([
  ['br, gzip', 'br'],
  ['gzip, deflate, br;q=0.5', 'br'],
  ['gzip', 'gzip'],
  ['gzip, br;q=0', 'gzip'],
  ['identity', null],
  ['', null],
])('for Accept-Encoding %j is sent as %s', async (accepted, encoding) => {
  const server = await listen(async (request) => appOf({ dir }).fetch(request));
  const answer = await fetch(`${server.origin}/widget/1.2.3/loader.js`, {
    headers: { 'accept-encoding': accepted },
  });
  expect(answer.headers.get('content-encoding')).toBe(encoding);
  expect(await answer.text()).toBe(loader);
  const asset = await fetch(`${server.origin}/widget/assets/app.0a1B2c3D.js`, {
    headers: { 'accept-encoding': 'br' },
  });
  expect([asset.headers.get('content-encoding'), await asset.text()]).toEqual([null, 'app();']);
});

it.each([
  '/widget/v2/loader.js',
  '/widget/1.2.4/loader.js',
  '/widget/assets/missing.0a1b2c3d.js',
  '/widget/assets/..%2fsecret.1.js',
  '/widget/assets/..%2f..%2fsecret.js',
  '/widget/assets/app.0a1B2c3D.js.br',
  '/widget/%2e%2e/loader.js',
  '/widget/assets/loader.js',
])('has nothing at %s', async (at) => expect((await ask(at)).status).toBe(404));

describe('the page that shows it', () => {
  it('is elsewhere', async () => {
    const answer = await ask('/widget/demo', {}, { dir, demoUrl: 'https://demo.example/' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://demo.example/']);
  });
  it('is not there where none is configured, nor is a widget that was not built', async () => {
    expect((await ask('/widget/demo')).status).toBe(404);
    expect((await ask('/widget/v1/loader.js', {}, {})).status).toBe(404);
    expect((await ask('/widget/v1/loader.js', {}, { dir: path.join(dir, 'nowhere') })).status).toBe(404);
  });
});
