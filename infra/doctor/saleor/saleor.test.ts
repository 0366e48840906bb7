import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '@agentstore/kernel/testing/http';
import { installApp } from '../../dev/shop/seed-app.ts';
import { useShop } from '../../dev/shop/testing/shop.ts';
import { customer } from '../../dev/shop/testing/recorded-shop.ts';
import { choosePatient } from './choose-patient.ts';
import { examineSaleor } from './examine-saleor.ts';
import type { SaleorPatient } from './patient.ts';
import { startNeighbours, type Neighbours } from './testing/neighbours.ts';

// The same subgraphs give the same supergraph, which takes longer than all else that is looked at.
vi.mock(import('@agentstore/schema/compose-supergraph'), async (load) => {
  const actual = await load();
  const composed = new Map<string, string>();
  return {
    ...actual,
    composeSupergraph(subgraphs) {
      const key = JSON.stringify(subgraphs);
      const supergraph = composed.get(key) ?? actual.composeSupergraph(subgraphs);
      composed.set(key, supergraph);
      return supergraph;
    },
  };
});

const port = await freePort();
let around: Neighbours;
beforeAll(async () => {
  around = await startNeighbours(`http://127.0.0.1:${port}`);
});
const under = useShop({
  port,
  get publicUrl() {
    return around.origin;
  },
});
beforeAll(async () => {
  await installApp(under.shop, `${around.origin}/api/manifest`);
  await under.shop.setOidcPlugin({
    jwksUrl: `${around.origin}/keys`,
    userInfoUrl: `${around.origin}/oidc/userinfo`,
    audience: 'store',
  });
  await under.admin('create table public.kept as select * from dev_shop.document');
});
afterEach(async () => {
  await under.admin(
    'truncate dev_shop.document, dev_shop.delivery; insert into dev_shop.document select * from public.kept',
  );
});

const patientOf = async (token?: string): Promise<SaleorPatient> => ({
  access: { url: under.shop.url, token: token ?? (await under.shop.staffToken()), deadlineMs: 60_000 },
  publicOrigin: around.origin,
  manifestUrl: `${around.origin}/api/manifest`,
  issuer: around.origin,
  audience: 'store',
  channel: 'default-channel',
  deadlineMs: 60_000,
});

async function examine(
  changed: Partial<SaleorPatient> = {},
  token?: string,
): Promise<{ text: string; faults: string[]; failed: number }> {
  let text = '';
  const failed = await examineSaleor({ ...(await patientOf(token)), ...changed }, (line) => (text += line));
  const faults = text.split('\n').filter((line) => line.startsWith('✗'));
  expect(faults).toHaveLength(failed);
  expect(text.match(/^ +→ .+/gm) ?? []).toHaveLength(failed);
  return { text, failed, faults };
}

/** Answers of the neighbours while a path answers something else. */
async function whileAnswering<T>(
  pathname: string,
  answer: (request: Request) => Response | Promise<Response>,
  work: () => Promise<T>,
): Promise<T> {
  const right = around.routes[pathname];
  around.routes[pathname] = answer;
  try {
    return await work();
  } finally {
    if (right) around.routes[pathname] = right;
    else delete around.routes[pathname];
  }
}

/** The one line that is wrong. */
async function onlyFault(changed: Partial<SaleorPatient> = {}): Promise<string> {
  const { faults } = await examine(changed);
  expect(faults).toHaveLength(1);
  return faults[0]!;
}

it('finds a Saleor well that is connected as it should be', async () => {
  const { text, failed } = await examine();
  expect(text).not.toContain('✗');
  expect(failed).toBe(0);
  expect(text.match(/^✓/gm)).toHaveLength(16);
});

it.each<[string, string, RegExp]>([
  [
    'user_info_url',
    'https://issuer.test/userinfo',
    /user_info_url is “https:\/\/issuer\.test\/userinfo” and must be “http/,
  ],
  ['audience', '', /audience is empty and must be “store”/],
  ['use_oauth_scope_permissions', 'false', /use_oauth_scope_permissions is “false” and must be “true”/],
  ['staff_user_domains', 'acme.test', /staff_user_domains is “acme\.test” and must be empty/],
  ['enable_refresh_token', 'true', /enable_refresh_token is “true” and must be “false”/],
  ['oauth_token_url', 'https://issuer.test/token', /oauth_token_url is “.*” and must be empty/],
])('says that the plugin has a wrong %s', async (name, value, fault) => {
  await setPlugin({ configuration: [{ name, value }] });
  const said = await onlyFault();
  expect(said).toMatch(/^✗ OpenID Connect/);
  expect(said).toMatch(fault);
});

it('says that the plugin is off', async () => {
  await setPlugin({ active: false });
  expect(await onlyFault()).toMatch(/OpenID Connect +the plugin is not active/);
});

it("says that the plugin has other keys than the issuer's, and that keys cannot be had", async () => {
  await setPlugin({ configuration: [{ name: 'json_web_key_set_url', value: `${around.origin}/nowhere` }] });
  expect(await onlyFault()).toMatch(
    /issuer keys +json_web_key_set_url is .*\/nowhere, and the issuer's is .*\/keys/,
  );
  expect(await onlyFault({ issuer: undefined })).toMatch(/issuer keys +.*\/nowhere answers 404/);
});

const setPlugin = (input: object) =>
  under.ask(
    'mutation($input: PluginUpdateInput!) { pluginUpdate(id: "mirumee.authentication.openidconnect", input: $input) { errors { message } } }',
    { input },
  );
const change = (kind: string, where: string, values: object) =>
  under.admin(
    `update dev_shop.document set data = data || '${JSON.stringify(values)}' where kind = '${kind}' and ${where}`,
  );

it.each<[string, string, object, RegExp]>([
  ['app', `data ->> 'identifier' is not null`, { isActive: false }, /app +it is not active/],
  [
    'app',
    `data ->> 'identifier' is not null`,
    { permissions: ['MANAGE_PRODUCTS'] },
    /app +it lacks MANAGE_ORDERS/,
  ],
])('says what is wrong with the %s', async (_name, where, values, fault) => {
  await change('App', where, values);
  expect(await onlyFault()).toMatch(fault);
});

it('says that no app is installed, and why the installation failed', async () => {
  await under.admin(`delete from dev_shop.document where kind in ('App', 'Webhook')`);
  await whileAnswering(
    '/api/register',
    () => Response.json({ error: { message: 'SALEOR_NOT_ALLOWED' } }, { status: 403 }),
    async () => {
      await expect(installApp(under.shop, `${around.origin}/api/manifest`)).rejects.toThrow('403');
      const { faults } = await examine();
      expect(faults).toHaveLength(3);
      expect(faults[0]).toMatch(/app +no app agentstore\.provisioner is installed; .*SALEOR_NOT_ALLOWED/);
    },
  );
});

const refunded = `data -> 'events' ? 'ORDER_REFUNDED'`;
it.each<[string, object, RegExp]>([
  ['off', { isActive: false }, /webhooks +ORDER_REFUNDED: not active/],
  [
    'going elsewhere',
    { targetUrl: 'https://old.test/refunded' },
    /ORDER_REFUNDED: goes to https:\/\/old\.test\/refunded, and the manifest says http/,
  ],
  [
    'asking another query',
    { query: 'subscription { event { issuedAt } }' },
    /ORDER_REFUNDED: asks another query/,
  ],
  ['for another event', { events: ['ORDER_CREATED'] }, /ORDER_REFUNDED: not there/],
])('says that a webhook is %s', async (_case, values, fault) => {
  await change('Webhook', refunded, values);
  expect(await onlyFault()).toMatch(fault);
});

it.each<[string, string, RegExp]>([
  [
    'FAILED, with the newest answer',
    `'FAILED', '[{"at": "2026-11-25T10:00:00Z", "seconds": 1, "status": 502, "response": "older"}, {"at": "2026-11-25T10:00:10Z", "seconds": 1, "status": 503, "response": "UNAVAILABLE"}]', now()`,
    /deliveries +1 FAILED, the newest: ORDER_REFUNDED of .*answered 503: UNAVAILABLE/,
  ],
  [
    'PENDING since long',
    `'PENDING', '[]', now() - interval '1 hour'`,
    /deliveries +1 PENDING for a long time, the newest: ORDER_REFUNDED of .*never tried/,
  ],
])('says that a delivery is %s', async (_case, row, fault) => {
  await under.admin(
    `insert into dev_shop.delivery (webhook, event_type, payload, status, attempts, created_at, next_attempt_at)
     select w.pk, 'ORDER_REFUNDED', '{}', status, attempts::jsonb, at, 'infinity'
     from dev_shop.document w, (values (${row})) as r (status, attempts, at) where kind = 'Webhook' and ${refunded}`,
  );
  expect(await onlyFault()).toMatch(fault);
});

it.each<[string, () => Response, RegExp]>([
  [
    '/api/manifest',
    () => Response.json({ id: 'another.app', webhooks: [] }),
    /manifest +.* answers no manifest of agentstore\.provisioner/,
  ],
  [
    '/api/manifest',
    () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    /manifest +.* answers text\/html, no JSON/,
  ],
  ['/oidc/userinfo', () => Response.json({ sub: 'anybody' }), /userinfo +.* answers 200 to nobody/],
  [
    '/graphql',
    () => Response.json({ data: { tokenCreate: null } }),
    /closed mutations +the router does not refuse .*tokenCreate \(it answered\)/,
  ],
  [
    '/graphql',
    () => Response.json({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] }),
    /does not refuse .*accountRegister \(UNAVAILABLE\)/,
  ],
  ['/keys', () => Response.json({ keys: [] }), /issuer keys +.*\/keys has no key/],
  [
    '/.well-known/jwks.json',
    () => Response.json({ keys: [{ kty: 'EC', kid: 'k' }] }),
    /signing keys +.* has no RS256 key/,
  ],
  ['/.well-known/jwks.json', () => new Response('no', { status: 404 }), /signing keys +.* answers 404/],
])('says what is wrong at %s', async (pathname, answer, fault) => {
  await whileAnswering(pathname, answer, async () => {
    const { faults } = await examine();
    expect(faults.length).toBeGreaterThan(0);
    expect(faults[0]).toMatch(fault);
  });
});

it.each<[string, string, RegExp]>([
  [
    'markAsPaidStrategy',
    'markAsPaidStrategy: PAYMENT_FLOW',
    /markAsPaidStrategy is PAYMENT_FLOW, not TRANSACTION_FLOW/,
  ],
  ['allowUnpaidOrders', 'allowUnpaidOrders: false', /allowUnpaidOrders is false, not true/],
  [
    'automaticallyConfirmAllNewOrders',
    'automaticallyConfirmAllNewOrders: false',
    /automaticallyConfirmAllNewOrders is false/,
  ],
])('says that the channel has a wrong %s', async (_name, setting, fault) => {
  await under.ask(
    `mutation($id: ID!) { channelUpdate(id: $id, input: { orderSettings: { ${setting} } }) { errors { message } } }`,
    { id: under.seeded.channelId },
  );
  const said = await onlyFault();
  expect(said).toMatch(/^✗ channel +default-channel: /);
  expect(said).toMatch(fault);
});

it('says that there is no such channel', async () => {
  const { faults } = await examine({ channel: 'elsewhere' });
  expect(faults).toEqual([
    expect.stringMatching(/^✗ channel +there is no channel elsewhere/),
    expect.stringMatching(/^✗ catalogue +there is no channel elsewhere/),
  ]);
});

const pro = `data ->> 'sku' = 'AGENT-PRO-M'`;
it.each<[string, string, string, object, RegExp]>([
  [
    'a variant has no stock',
    'ProductVariant',
    pro,
    { stocks: [] },
    /AGENT-PRO-M has no stock in a warehouse of the channel/,
  ],
  [
    'a variant has no price',
    'ProductVariant',
    pro,
    { listings: [] },
    /AGENT-PRO-M has no price in the channel/,
  ],
  [
    'a variant has no kind',
    'ProductVariant',
    pro,
    { privateMetadata: {} },
    /AGENT-PRO-M has agentstore\.kind unset/,
  ],
  [
    'the product type needs shipping',
    'ProductType',
    `data ->> 'slug' = 'agent-plan'`,
    { isShippingRequired: true },
    /agent-plan needs shipping/,
  ],
  [
    'there is no product type',
    'ProductType',
    `data ->> 'slug' = 'agent-plan'`,
    { slug: 'other' },
    /there is no product type agent-plan/,
  ],
])('says that %s', async (_case, kind, where, values, fault) => {
  await change(kind, where, values);
  const said = await onlyFault();
  expect(said).toMatch(/^✗ catalogue/);
  expect(said).toMatch(fault);
});

/** Lets Saleor answer, with its text changed. */
const rewriting =
  (edit: (text: string) => string) =>
  async (request: Request): Promise<Response> => {
    const headers = new Headers(request.headers);
    headers.delete('host');
    const answer = await fetch(`http://127.0.0.1:${port}/graphql/`, {
      method: 'POST',
      headers,
      body: await request.text(),
    });
    return new Response(edit(await answer.text()), { headers: { 'content-type': 'application/json' } });
  };

it.each<[string, (text: string) => string, RegExp]>([
  [
    'another version',
    (text) => text.replace('"3.22.67"', '"3.21.40"'),
    /version +it is 3\.21\.40, and 3\.22 is needed/,
  ],
  [
    'another public URL',
    (text) => text.replace(/"url": ?"http[^"]*"/, '"url":"https://old.test/"'),
    /public URL +Saleor calls itself https:\/\/old\.test\/, and is asked at http/,
  ],
  [
    'a schema that clashes with ours',
    (text) => text.replace(String.raw`type Money {`, String.raw`type Money @key(fields: \"nothing\") {`),
    /✗ schema +The subgraphs do not compose/,
  ],
  [
    'a schema that cannot be read',
    (text) => text.replace('{"data":{"_service":{"sdl":"', '{"data":{"_service":{"sdl":"type {'),
    /✗ schema +The subgraphs do not compose:\s+\[saleor\] Syntax Error/,
  ],
])('says that Saleor has %s', async (_case, edit, fault) => {
  await whileAnswering('/graphql/', rewriting(edit), async () => {
    const { text } = await examine();
    expect(text).toMatch(fault);
  });
});

it('says that Saleor is asked under another spelling than its own', async () => {
  const patient = await patientOf();
  const access = { ...patient.access, url: `${under.shop.url}?from=elsewhere` };
  const { faults } = await examine({ access });
  expect(faults[0]).toMatch(
    /public URL +Saleor calls its API .*\/graphql\/, and is asked at .*: use that very spelling/,
  );
});

it.each<[string, () => Response | Promise<Response>, RegExp]>([
  [
    'HTML',
    () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    /GraphQL +.* answered 200 text\/html: not a GraphQL endpoint/,
  ],
  ['nothing in time', () => new Promise<Response>(() => undefined), /GraphQL +.* gave no answer in 0\.2 s/],
  [
    'an error',
    () => Response.json({ errors: [{ message: 'down for maintenance' }] }),
    /GraphQL +down for maintenance/,
  ],
])('asks no further when Saleor answers %s', async (_case, answer, fault) => {
  const patient = await patientOf();
  await whileAnswering('/graphql/', answer, async () => {
    const { faults, text } = await examine({ access: { ...patient.access, deadlineMs: 200 } });
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(text).toContain('The other checks wait until it answers.');
    expect(text).not.toContain('✓');
  });
});

it('names the permissions that a token lacks', async () => {
  const { appCreate } = await under.ask<{ appCreate: { authToken: string } }>(
    'mutation { appCreate(input: { name: "Poor", permissions: [MANAGE_ORDERS, MANAGE_PRODUCTS] }) { authToken errors { message } } }',
  );
  const { faults } = await examine({}, appCreate.authToken);
  expect(faults[0]).toMatch(/token +app “Poor” lacks MANAGE_APPS \(to see .*\), MANAGE_PLUGINS/);
  expect(faults.find((line) => line.startsWith('✗ OpenID Connect'))).toContain('MANAGE_PLUGINS');
});

it.each<[string, () => Promise<string>]>([
  ['unknown', () => Promise.resolve('x'.repeat(30))],
  ["a customer's", () => customer(under, 'someone@acme.test')],
])('says that the token is %s', async (_case, token) => {
  const { faults } = await examine({}, await token());
  expect(faults[0]).toMatch(/token +it is of neither staff nor an app/);
});

const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-saleor-'));

it('takes the shop of the running store, signed in as its admin', async () => {
  fs.writeFileSync(
    path.join(stateDir, 'dev.json'),
    JSON.stringify({
      urls: { shop: under.shop.url, origin: around.origin, provisioner: around.origin },
      shop: { channel: 'default-channel', admin: under.shop.admin },
      oidc: { issuer: around.origin, audience: 'store' },
    }),
  );
  const patient = await choosePatient({}, stateDir);
  let text = '';
  expect(await examineSaleor(patient, (line) => (text += line))).toBe(0);
  expect(text).toContain('admin@example.com');
});

it('says what the command line lacks', async () => {
  const empty = path.join(stateDir, 'nowhere');
  await expect(choosePatient({}, empty)).rejects.toThrow(/No store was started/);
  await expect(choosePatient({ url: 'shop', token: 't' }, empty)).rejects.toThrow(/--url is no URL/);
  await expect(choosePatient({ url: under.shop.url, token: 't' }, empty)).rejects.toThrow(
    /Give --public-origin/,
  );
  await expect(choosePatient({ url: under.shop.url, publicOrigin: 'x', token: 't' }, empty)).rejects.toThrow(
    /--public-origin is no origin/,
  );
});

it('ends with 1 when a check failed, with 0 when none did, and with 2 when it could not begin', async () => {
  const run = async (...options: string[]): Promise<unknown> => {
    const main = path.join(import.meta.dirname, '../main.ts');
    try {
      await promisify(execFile)(process.execPath, [main, 'saleor', '--state', stateDir, ...options]);
      return 0;
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  const named = ['--url', under.shop.url, '--public-origin', around.origin, '--audience', 'store'];
  const token = await under.shop.staffToken();
  expect(await run(...named, '--token', token)).toBe(0);
  await setPlugin({ active: false });
  expect(await run(...named, '--token', token)).toBe(1);
  expect(await run('--url', under.shop.url, '--token', token)).toBe(2);
});
