import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLocalJWKSet, createRemoteJWKSet } from 'jose';
import { Client } from 'minio';
import pg from 'pg';
import { afterAll } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { createAuthenticator } from '@agentstore/kernel/auth/authenticator';
import { generateInternalKey, internalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import { credits } from '@agentstore/kernel/credits';
import { openDatabase, type Database } from '@agentstore/kernel/db/database';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { serviceCaller } from '@agentstore/kernel/testing/callers';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { listen } from '@agentstore/kernel/testing/http';
import { createApp as createBilling } from '@agentstore/billing/app';
import { createApp as createControlPlane } from '@agentstore/control-plane/app';
import { createSmallSecretStore } from '@agentstore/control-plane/testing/small-secret-store';
import { createApp as createRouter } from '@agentstore/router/app';
import { createIssuer } from '@agentstore/router/testing/issuer';
import { createGitops } from '@agentstore/router/testing/neighbours';
import { askGraph } from '@agentstore/router/testing/open-router';
import { createApp as createRuns } from '@agentstore/runs/app';
import { servicePermissions } from '../../../infra/dev/identity/services.ts';
import { composeToFile } from '../../../schema/compose-supergraph.ts';
import { ownSubgraphs, saleorName } from '../../../schema/subgraphs.ts';
import type { ReplayedSaleor } from './replayed-saleor.ts';

export type Graph = Awaited<ReturnType<typeof openGraph>>;

/**
 * The router and our subgraphs as they are, on a database of the test file's own, composed with the schema that this Saleor serves. Everything is closed after
 * the file's tests.
 */
export async function openGraph(saleor: ReplayedSaleor) {
  const made = await testDatabase();
  const { privateJwk, jwks } = await generateInternalKey('test');
  const sign = await internalTokenSigner(privateJwk);
  const issuer = await createIssuer('https://issuer.test', 'https://store.test/graphql');
  const apps: Record<string, App> = {};
  const databases: Database[] = [];
  const database = (schema: string): Database => {
    const opened = openDatabase({ url: made.url, schema, log: silentLog });
    databases.push(opened);
    return opened;
  };
  const authenticate = (audience: string) =>
    createAuthenticator({
      audience,
      internalJwks: jwks,
      issuer: issuer.issuer,
      serviceAudience: 'agentstore:internal',
      issuerKeys: createLocalJWKSet({ keys: [] }),
    });
  /** `authorization` of every GraphQL request that reached a subgraph of ours. */
  const shownToOurs: (string | null)[] = [];
  const client = (name: string, as?: string): ServiceClient =>
    createServiceClient({
      name,
      baseUrl: `http://${name}.internal`,
      send: (request) => {
        if (new URL(request.url).pathname === '/graphql')
          shownToOurs.push(request.headers.get('authorization'));
        return apps[name]!.fetch(request);
      },
      ...(as ? { token: () => sign(serviceCaller(...servicePermissions[as]!), name) } : {}),
    });

  apps['billing'] = createBilling({
    db: database('billing'),
    authenticate: authenticate('billing'),
    log: silentLog,
    sweepEveryMs: 60_000,
  });
  apps['control-plane'] = createControlPlane({
    db: database('control_plane'),
    authenticate: authenticate('control-plane'),
    log: silentLog,
    billing: client('billing', 'control-plane'),
    tools: client('tools', 'control-plane'),
    // Nobody listens there: no test here publishes a version.
    objects: new Client({ endPoint: '127.0.0.1', port: 1, useSSL: false, accessKey: 'x', secretKey: 'x' }),
    toolsOrigin: 'https://tools.test',
    artifactBucket: 'artifacts',
    secrets: createSmallSecretStore(),
    knowledge: { knowledgeBases: 2, documents: 100, bytes: 104_857_600 },
    branding: { visitorSpendCap: credits(10), loopbackOrigins: false },
    trial: { credits: credits(100), days: 30 },
  });
  apps['runs'] = createRuns({
    db: database('runs'),
    authenticate: authenticate('runs'),
    log: silentLog,
    controlPlane: client('control-plane', 'runs'),
    billing: client('billing', 'runs'),
    // No runner is there to claim a run.
    signRunToken: () => Promise.reject(new Error('no run is claimed here')),
    eventDays: 30,
    maxInputCharacters: 1_000,
    subscriberQueue: { events: 256, bytes: 1_048_576 },
    sweepEveryMs: 60_000,
    abandonedAfterMs: 60_000,
  });
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'replayed-saleor-'));
  const supergraphFile = path.join(directory, 'supergraph.graphql');
  composeToFile([...ownSubgraphs(), { name: saleorName, sdl: saleor.sdl }], supergraphFile);
  const keys = await listen(issuer.fetch);
  const gitops = createGitops();
  const router = createRouter(
    {
      log: silentLog,
      publicOrigin: 'https://store.test',
      supergraphFile,
      issuer: {
        url: issuer.issuer,
        audience: issuer.audience,
        keys: createRemoteJWKSet(new URL(`${keys.origin}/jwks`)),
      },
      signInternal: sign,
      internalJwks: jwks,
      subgraphs: {
        'control-plane': client('control-plane'),
        billing: client('billing'),
        runs: client('runs'),
        rag: client('rag'),
      },
      controlPlane: client('control-plane', 'router'),
      gitops: createServiceClient({ name: 'gitops', baseUrl: 'http://gitops.internal', send: gitops.fetch }),
      saleorApiUrl: saleor.url,
      staffEmails: [],
      introspection: 'everybody',
      limits: { depth: 16, tokens: 3_000, aliases: 50, rootFields: 20 },
      maxBodyBytes: 262_144,
      subgraphDeadlineMs: 3_000,
      streams: { recheckMs: 30_000, silenceMs: 45_000 },
      widget: {
        signToken: () => Promise.reject(new Error('nobody has a widget here')),
        tokenSeconds: 600,
        initsPerMinute: { address: 1, key: 1, visitor: 1 },
        proxies: 0,
        limits: { inputCharacters: 1_000, attachmentBytes: 0 },
      },
    },
    async () => 'service-token',
  );
  for (const app of Object.values(apps)) await app.start();
  await router.start();
  const front = await listen((request) => router.fetch(request), router.bodies);
  afterAll(async () => {
    await router.stop();
    for (const app of Object.values(apps)) await app.stop();
    for (const opened of databases) await opened.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  return {
    issuer,
    shownToOurs,
    /** The control plane, asked as the provisioner or the seed asks it. */
    controlPlaneAs: (service: 'provisioner' | 'seed') => client('control-plane', service),
    ask: askGraph(`${front.origin}/graphql`),
    /** Behind row-level security, as the superuser. */
    async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
      const superuser = new pg.Client({ connectionString: made.adminUrl });
      await superuser.connect();
      try {
        return (await superuser.query<Record<string, unknown>>(sql, values)).rows;
      } finally {
        await superuser.end();
      }
    },
  };
}
