import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { openRepository } from '@agentstore/gitops/writer/repository';
import { openDatabase } from '@agentstore/kernel/db/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { freePort, listen } from '@agentstore/kernel/testing/http';
import { startObjects } from '../dev/objects/objects.ts';
import { runChecks } from './check.ts';
import { redriveParked } from './redrive.ts';
import { storeChecks } from './store.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-'));
const keys = { accessKey: 'agentstore', secretKey: 'a secret of the test' };
let admin: pg.Client;
let description: Parameters<typeof storeChecks>[0];
/** Answers of the small store, by path; a test that breaks one puts it back. */
const routes: Record<string, () => Response> = {};

beforeAll(async () => {
  const { url, adminUrl } = await testDatabase();
  admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const server = await listen(async (request) => {
    const route = routes[new URL(request.url).pathname];
    return route ? route() : new Response('', { status: 404 });
  });
  const sockets = new WebSocketServer({ server: server.server, path: '/graphql' });
  const objects = await startObjects({
    dir: path.join(home, 'objects'),
    port: 0,
    ...keys,
    buckets: ['artifacts', 'knowledge'],
    log: silentLog,
  });
  const git = path.join(home, 'agentstore.git');
  await openRepository({ directory: git, branch: 'main' });
  afterAll(async () => {
    sockets.close();
    await Promise.all([objects.stop(), admin.end()]);
    fs.rmSync(home, { recursive: true });
  });
  const { origin } = server;
  const graph = () => Response.json({ data: { __typename: 'Query' } });
  Object.assign(routes, {
    '/readiness': () => Response.json({ status: 'ready' }),
    '/graphql': graph,
    '/shop/': graph,
    '/tools/readiness': () => Response.json({ status: 'ready' }),
    '/v1/sys/health': () => Response.json({ sealed: false }),
    '/openapi.json': () => Response.json({}),
    '/runtime/health': () => Response.json({ status: 'ok' }),
    '/.well-known/openid-configuration': () =>
      Response.json({ issuer: origin, jwks_uri: `${origin}/jwks`, token_endpoint: `${origin}/token` }),
    '/jwks': () => Response.json({ keys: [{ kty: 'RSA' }] }),
  });
  description = {
    oidc: { issuer: origin, clientId: 'storefront', audience: `${origin}/graphql` },
    urls: {
      origin,
      graphql: `${origin}/graphql`,
      graphqlWs: `${origin.replace('http', 'ws')}/graphql`,
      openApi: `${origin}/openapi.json`,
      identity: origin,
      shop: `${origin}/shop/`,
      objects: objects.url,
      runtime: `${origin}/runtime`,
      database: url,
      rest: `${origin}/v1`,
      graphiql: `${origin}/graphiql`,
      provisioner: origin,
      model: origin,
      tools: `${origin}/tools`,
      vault: origin,
      site: 'http://127.0.0.1:1',
      widgetDemo: 'http://127.0.0.1:1',
    },
    directories: { state: home, database: null, git },
  };
});

async function examine(
  changed: Partial<(typeof description)['urls']> & { readonly git?: string } = {},
  secretKey = keys.secretKey,
): Promise<{ failed: number; faults: string[]; text: string }> {
  const { git, ...urls } = changed;
  let text = '';
  const failed = await runChecks(
    storeChecks(
      {
        ...description,
        urls: { ...description.urls, ...urls },
        directories: { ...description.directories, ...(git ? { git } : {}) },
      },
      { objects: { ...keys, secretKey } },
    ),
    (line) => (text += line),
  );
  return { failed, text, faults: text.split('\n').filter((line) => line.startsWith('✗')) };
}

/** Changes the database behind everyone's back, and afterwards back again. */
async function meanwhile<T>(broken: string, mended: string, work: () => Promise<T>): Promise<T> {
  await admin.query(`set session_replication_role = replica; ${broken}`);
  try {
    return await work();
  } finally {
    await admin.query(mended);
  }
}

it('finds a store well in which all is as it should be', async () => {
  const { failed, text } = await examine();
  expect(text).not.toContain('✗');
  expect(text).toMatch(/✓ database +PostgreSQL 1[78]/);
  expect(failed).toBe(0);
  expect(text.match(/^✓/gm)).toHaveLength(16);
});

const nobody = `http://127.0.0.1:${await freePort()}`;
it.each<[string, Parameters<typeof examine>[0], RegExp]>([
  ['GraphQL', { graphql: `${nobody}/graphql` }, /does not answer: .*ECONNREFUSED/],
  ['graphql-ws', { graphqlWs: `${nobody.replace('http', 'ws')}/graphql` }, /takes no connection/],
  ['REST', { openApi: nobody }, /does not answer/],
  ['shop', { shop: nobody }, /does not answer/],
  ['object storage', { objects: nobody }, /ECONNREFUSED/],
  ['flow runtime', { runtime: nobody }, /does not answer/],
  ['tool gateway', { tools: nobody }, /does not answer/],
  ['secret store', { vault: nobody }, /does not answer/],
  ['desired state', { git: path.join(home, 'nowhere') }, /no repository/],
])('says that %s is away, and what to do', async (name, urls, fault) => {
  const { failed, faults, text } = await examine(urls);
  expect(failed).toBe(1);
  expect(faults[0]).toMatch(new RegExp(`^✗ ${name} +.*`));
  expect(faults[0]).toMatch(fault);
  expect(text).toMatch(/^ +→ .+/m);
});

it('says each thing that needs the database when that is away', async () => {
  const { faults } = await examine({ database: 'postgres://nobody:secret@127.0.0.1:1/none' });
  expect(faults.map((line) => line.slice(2, 22).trim())).toEqual([
    'database',
    'migrations',
    'ledger',
    'outbox',
    'orders',
    'desired state',
  ]);
  expect(faults.join()).not.toContain('secret');
});

it.each<[string, string, () => Response, RegExp]>([
  [
    'router',
    '/readiness',
    () => Response.json({ title: 'not ready: billing' }, { status: 503 }),
    /not ready: billing/,
  ],
  [
    'GraphQL',
    '/graphql',
    () => Response.json({ errors: [{ message: 'no' }] }, { status: 500 }),
    /answers 500/,
  ],
  [
    'identity',
    '/.well-known/openid-configuration',
    () =>
      Response.json({
        issuer: 'http://other.test',
        jwks_uri: 'http://other.test/k',
        token_endpoint: 'http://other.test/t',
      }),
    /calls itself http:\/\/other\.test/,
  ],
  ['identity', '/jwks', () => Response.json({ keys: [] }), /keys/],
  ['tool gateway', '/tools/readiness', () => new Response('', { status: 503 }), /answers 503/],
  ['secret store', '/v1/sys/health', () => Response.json({}, { status: 503 }), /is sealed/],
])('says that %s answers wrongly at %s', async (name, route, wrong, fault) => {
  const right = routes[route]!;
  routes[route] = wrong;
  const { faults, text } = await examine();
  routes[route] = right;
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(`✗ ${name}`);
  expect(text).toMatch(fault);
});

it('says that object storage does not know our keys', async () => {
  const { faults } = await examine({}, 'another secret');
  expect(faults).toEqual([expect.stringMatching(/^✗ object storage/)]);
});

it.each<[string, string, string, RegExp]>([
  [
    'migrations',
    `delete from billing.migration where name = '0001_ledger.sql' returning name`,
    `insert into billing.migration (name, sha256) select '0001_ledger.sql', sha256 from saved`,
    /billing\/0001_ledger\.sql$/,
  ],
  [
    'ledger',
    `insert into billing.wallet (organization_id, id, balance) values ('${uuidv7()}', '${uuidv7()}', 5)`,
    'delete from billing.wallet',
    /wallet\.balance is the balance after its last entry: .*balance 5/,
  ],
  [
    'orders',
    `insert into control_plane.parked_order_line values ('http://shop', 'T1', 'L1', 'UNKNOWN_VARIANT', '{}')`,
    'delete from control_plane.parked_order_line',
    /T1 line L1: UNKNOWN_VARIANT/,
  ],
  [
    'desired state',
    `insert into control_plane.instance (id, organization_id, project_id, offering_id, offering_version_id, plan_id, name, state, idempotency_key)
     select '01900000-0000-7000-8000-000000000001', o, o, o, o, o, 'lost', 'REQUESTED', 'k' from (select gen_random_uuid() as o) ids`,
    'delete from control_plane.instance',
    /instance 01900000-0000-7000-8000-000000000001 at 1, in Git not at all/,
  ],
  [
    'desired state',
    `insert into rag.knowledge_base (id, organization_id, project_id, name, idempotency_key, request_hash, organization_slug, project_slug, engine, max_documents, max_bytes)
     select '01900000-0000-7000-8000-000000000002', o, o, 'lost', 'k', 'h', 'acme', 'default', '{"kind": "Embedded"}', 1, 1 from (select gen_random_uuid() as o) ids`,
    'delete from rag.knowledge_base',
    /knowledge base 01900000-0000-7000-8000-000000000002 at 1, in Git not at all/,
  ],
])('says what is wrong with %s in the database', async (name, broken, mended, fault) => {
  await admin.query(
    `drop table if exists saved; create temp table saved as select sha256 from billing.migration where name = '0001_ledger.sql'`,
  );
  const { faults } = await meanwhile(broken, mended, examine);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(`✗ ${name}`);
  expect(faults[0]).toMatch(fault);
});

it('compares the generations of instances and knowledge bases with those in Git', async () => {
  const [instance, base] = [uuidv7(), uuidv7()];
  const manifest = (generation: number) => `spec: { generation: ${generation} }\n`;
  const repository = await openRepository({ directory: description.directories.git, branch: 'main' });
  await repository.commit(
    new Map([
      [`clusters/dev/instances/acme/default/${instance}/gatewayroute.yaml`, manifest(1)],
      [`clusters/dev/knowledge/acme/default/${base}/knowledgebase.yaml`, manifest(1)],
    ]),
    'both at 1',
    { name: 'test', email: 'test@example.test' },
  );
  const rows = (generation: number) =>
    `insert into control_plane.instance (id, organization_id, project_id, offering_id, offering_version_id, plan_id, name, state, idempotency_key, desired_generation)
     select '${instance}', o, o, o, o, o, 'a', 'ACTIVE', 'k', ${generation} from (select gen_random_uuid() as o) ids;
     insert into rag.knowledge_base (id, organization_id, project_id, name, idempotency_key, request_hash, organization_slug, project_slug, engine, max_documents, max_bytes, desired_generation)
     select '${base}', o, o, 'b', 'k', 'h', 'acme', 'default', '{}', 1, 1, ${generation} from (select gen_random_uuid() as o) ids`;
  const gone = 'delete from control_plane.instance; delete from rag.knowledge_base';
  expect((await meanwhile(rows(1), gone, examine)).text).toMatch(
    /✓ desired state +2 instances and knowledge bases/,
  );
  const { faults } = await meanwhile(rows(2), gone, examine);
  expect(faults).toEqual([
    expect.stringMatching(
      new RegExp(
        `^✗ desired state .*instance ${instance} at 2, in Git 1.*knowledge base ${base} at 2, in Git 1`,
      ),
    ),
  ]);
});

it('shows parked facts and puts them back', async () => {
  await admin.query(
    `insert into control_plane.outbox (id, topic, key, payload, attempts, refusals, parked_reason) values ($1, 'CreditsGranted', 'org-1', '{}', 20, 20, '409 TOP_UP_REVOKED')`,
    [uuidv7()],
  );
  const { faults } = await examine();
  expect(faults).toEqual([expect.stringContaining('control_plane CreditsGranted org-1: 409 TOP_UP_REVOKED')]);
  let said = '';
  await redriveParked({
    databaseUrl: description.urls.database,
    schemas: ['billing', 'control_plane'],
    log: silentLog,
    write: (text) => (said += text),
  });
  expect(said).toContain('control_plane CreditsGranted org-1: put back');
  expect(said).toContain('1 facts are on their way again');
  const database = openDatabase({ url: description.urls.database, schema: 'control_plane', log: silentLog });
  expect(
    await database.statement(
      'left',
      'select attempts, refusals, parked_reason, next_attempt_at <= now() as due from outbox',
    ),
  ).toEqual([{ attempts: 0, refusals: 0, parked_reason: null, due: true }]);
  await database.close();
  expect((await examine()).text).toContain('1 facts on their way');
  await admin.query('delete from control_plane.outbox');
});
