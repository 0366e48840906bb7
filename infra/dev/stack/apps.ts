import path from 'node:path';
import { createRemoteJWKSet } from 'jose';
import { Client } from 'minio';
import type { App } from '@agentstore/kernel/app';
import { internalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import { runTokenSigner } from '@agentstore/kernel/auth/run-token';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { processAuthenticator } from '@agentstore/kernel/auth/trust';
import { widgetTokenSigner } from '@agentstore/kernel/auth/widget-token';
import { credits } from '@agentstore/kernel/credits';
import { openDatabase, type Database } from '@agentstore/kernel/db/database';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { serve, type HttpServer } from '@agentstore/kernel/http/server';
import type { Log } from '@agentstore/kernel/log';
import { createVaultWriter } from '@agentstore/kernel/vault/vault-secrets';
import { openQueue } from '@agentstore/kernel/queue';
import { createApp as createBilling } from '@agentstore/billing/app';
import { createApp as createControlPlane } from '@agentstore/control-plane/app';
import { createApp as createGitops } from '@agentstore/gitops/app';
import { artifactChecker } from '@agentstore/gitops/artifact-checker';
import { createApp as createProvisioner } from '@agentstore/provisioner/app';
import { createApp as createRouter } from '@agentstore/router/app';
import { createApp as createRuns } from '@agentstore/runs/app';
import { serviceAudience, servicePermissions } from '../identity/services.ts';
import type { Ports } from '../state/ports.ts';
import type { DevSecrets } from '../state/secrets.ts';
import { artifactBucket, type Doubles } from './doubles.ts';
import { mountRag } from './rag.ts';
import { mountRunner } from './runner.ts';
import { createTeardown, type Teardown } from './teardown.ts';
import { mountTools } from './tools.ts';

/** All our apps, mounted in this process: they call each other's fetch handlers; only router, provisioner and the tool gateway listen. */
export interface MountedApps {
  readonly apps: Readonly<Record<string, App>>;
  /** A client of any app with a service's token, as another service would have it. */
  clientOf(app: string, as: string): ServiceClient;
  stop(): Promise<void>;
}

export interface AppsOptions {
  readonly stateDir: string;
  readonly ports: Ports;
  readonly secrets: DevSecrets;
  readonly publicOrigin: string;
  readonly supergraphFile: string;
  /** Folder of the built GraphiQL; none is served without it. */
  readonly graphiqlDir: string | undefined;
  /** Folder of the built widget, and where its demo page is; none is served without it. */
  readonly widget: { readonly dir: string; readonly demoUrl: string } | undefined;
  readonly doubles: Doubles;
  /** Origins besides the demo upstreams' that tools may call although they are on loopback. */
  readonly privateOrigins: readonly string[];
  /** How often it is asked whether the credential of a stream or a visitor still holds. */
  readonly recheckMs: number;
  readonly log: Log;
}

export async function mountApps(options: AppsOptions): Promise<MountedApps> {
  const teardown = createTeardown(options.log);
  try {
    return await mount(options, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function mount(options: AppsOptions, teardown: Teardown): Promise<MountedApps> {
  const { doubles, secrets, log, ports, stateDir } = options;
  const { identity, objects: storage } = doubles;
  const toolsOrigin = `http://127.0.0.1:${ports.tools}`;
  const apps: Record<string, App> = {};
  const databases: Database[] = [];
  teardown.later('databases', () => Promise.all(databases.map((opened) => opened.close())));

  const database = (schema: string, max: number): Database => {
    const opened = openDatabase({ url: doubles.databaseUrl, schema, max, log });
    databases.push(opened);
    return opened;
  };
  const tokens = new Map<string, () => Promise<string>>();
  const tokenOf = (service: string): (() => Promise<string>) => {
    const token =
      tokens.get(service) ??
      serviceTokenSource({
        tokenUrl: identity.tokenUrl,
        clientId: service,
        clientSecret: identity.serviceSecrets[service]!,
        audience: serviceAudience,
        scope: servicePermissions[service]!,
      });
    tokens.set(service, token);
    return token;
  };
  const client = (app: string, as?: string): ServiceClient =>
    createServiceClient({
      name: app,
      baseUrl: `http://${app}.internal`,
      send: (request) => apps[app]!.fetch(request),
      ...(as ? { token: tokenOf(as) } : {}),
    });
  const authenticate = (audience: string) =>
    processAuthenticator({
      audience,
      issuer: identity.issuer,
      endpoints: { jwksUrl: identity.jwksUrl, tokenUrl: identity.tokenUrl },
      serviceAudience,
      internalJwks: JSON.stringify(secrets.internalJwks),
    });
  const objects = new Client({
    endPoint: storage.endPoint,
    port: storage.port,
    useSSL: false,
    ...secrets.objects,
    region: 'us-east-1',
  });
  const child = (name: string): Log => log.child({ name });

  apps['billing'] = createBilling({
    db: database('billing', 10),
    authenticate: authenticate('billing'),
    log: child('billing'),
    sweepEveryMs: 1_000,
  });
  apps['control-plane'] = createControlPlane({
    db: database('control_plane', 10),
    authenticate: authenticate('control-plane'),
    log: child('control-plane'),
    billing: client('billing', 'control-plane'),
    tools: client('tools', 'control-plane'),
    objects,
    secrets: await createVaultWriter({
      origin: doubles.vault.url,
      key: secrets.vault.controlPlaneLogin,
      deadlineMs: 2_000,
    }),
    toolsOrigin,
    artifactBucket,
    knowledge: { knowledgeBases: 2, documents: 100, bytes: 104_857_600 },
    branding: { visitorSpendCap: credits(10), loopbackOrigins: true },
    trial: { credits: credits(100), days: 30 },
  });
  apps['runs'] = createRuns({
    db: database('runs', 16),
    authenticate: authenticate('runs'),
    log: child('runs'),
    controlPlane: client('control-plane', 'runs'),
    billing: client('billing', 'runs'),
    signRunToken: await runTokenSigner(secrets.runTokens.privateJwk, toolsOrigin),
    eventDays: 30,
    maxInputCharacters: 32_000,
    subscriberQueue: { events: 256, bytes: 1_048_576 },
    sweepEveryMs: 1_500,
    abandonedAfterMs: 60_000,
  });
  apps['rag'] = mountRag({
    db: database('rag', 10),
    controlPlane: client('control-plane', 'rag'),
    authenticate: authenticate('rag'),
    doubles,
    secrets,
    log: child('rag'),
  });
  apps['gitops'] = createGitops({
    db: database('gitops', 6),
    authenticate: authenticate('gitops'),
    log: child('gitops'),
    controlPlane: client('control-plane', 'gitops'),
    rag: client('rag', 'gitops'),
    repository: path.join(stateDir, 'git/agentstore.git'),
    branch: 'main',
    environment: 'dev',
    artifactIsThere: artifactChecker(objects),
  });
  const queue = await openQueue({ url: doubles.databaseUrl, log });
  teardown.later('queue', () => queue.stop());
  apps['provisioner'] = createProvisioner({
    db: database('provisioner', 6),
    queue,
    authenticate: authenticate('provisioner'),
    log: child('provisioner'),
    controlPlane: client('control-plane', 'provisioner'),
    billing: client('billing', 'provisioner'),
    appBaseUrl: `http://127.0.0.1:${ports.provisioner}`,
    allowedSaleorApiUrls: [doubles.shop.url],
    tokenKey: Buffer.from(secrets.aplKey, 'base64'),
    parkedRetrySeconds: 600,
    inboxDays: 14,
  });
  apps['runner'] = mountRunner({
    runs: client('runs', 'runner'),
    billing: client('billing', 'runner'),
    authenticate: authenticate('runner'),
    doubles,
    secrets,
    log: child('runner'),
  });
  const tools = await mountTools({
    origin: toolsOrigin,
    db: database('tools', 10),
    controlPlane: client('control-plane', 'tools'),
    gitops: client('gitops'),
    knowledge: client('rag', 'tools'),
    runner: client('runner', 'tools'),
    serviceToken: tokenOf('tools'),
    authenticate: authenticate('tools'),
    privateOrigins: [doubles.upstreams.url, ...options.privateOrigins],
    doubles,
    secrets,
    log: child('tools'),
  });
  apps['tools'] = tools;
  const router = createRouter(
    {
      log: child('router'),
      publicOrigin: options.publicOrigin,
      supergraphFile: options.supergraphFile,
      issuer: {
        url: identity.issuer,
        audience: `${options.publicOrigin}/graphql`,
        keys: createRemoteJWKSet(new URL(identity.jwksUrl), { cooldownDuration: 5_000 }),
      },
      signInternal: await internalTokenSigner(secrets.internalPrivateJwk),
      internalJwks: secrets.internalJwks,
      subgraphs: {
        'control-plane': client('control-plane'),
        billing: client('billing'),
        runs: client('runs'),
        rag: client('rag'),
      },
      controlPlane: client('control-plane', 'router'),
      gitops: client('gitops'),
      saleorApiUrl: doubles.shop.url,
      staffEmails: ['admin@example.com'],
      graphiql: options.graphiqlDir ? { dir: options.graphiqlDir, clientId: identity.clientId } : undefined,
      introspection: 'everybody',
      limits: { depth: 16, tokens: 3_000, aliases: 50, rootFields: 20 },
      maxBodyBytes: 262_144,
      subgraphDeadlineMs: 15_000,
      streams: { recheckMs: options.recheckMs, silenceMs: 45_000 },
      widget: {
        signToken: await widgetTokenSigner(secrets.internalPrivateJwk),
        tokenSeconds: 600,
        initsPerMinute: { address: 600, key: 3_000, visitor: 60 },
        proxies: 0,
        limits: { inputCharacters: 32_000, attachmentBytes: 65_536 },
        ...options.widget,
      },
    },
    tokenOf('router'),
  );
  apps['router'] = router;

  const start = async (name: string): Promise<void> => {
    teardown.later(name, () => apps[name]!.stop());
    await apps[name]!.start();
  };
  for (const name of ['billing', 'control-plane', 'runs', 'rag', 'gitops', 'provisioner', 'tools'])
    await start(name);
  // Before the runner, so that it is closed after it: the runs that end with the store may still call their tools.
  const gateway = await serve({
    fetch: (request) => tools.fetch(request),
    bodies: tools.bodies,
    port: ports.tools,
    log: child('tools'),
  });
  teardown.later('tool gateway', () => gateway.close(3_000));
  await start('runner');
  const servers: HttpServer[] = [];
  // Together, as a process of its own does: the router ends its streams, and the server waits for streams to end.
  teardown.later('router', () =>
    Promise.all([...servers.map((server) => server.close(3_000)), router.stop()]),
  );
  await router.start();
  servers.push(
    await serve({
      fetch: (request) => apps['provisioner']!.fetch(request),
      port: ports.provisioner,
      log: child('provisioner'),
    }),
  );
  const front = await serve({
    fetch: (request) => router.fetch(request),
    bodies: router.bodies,
    port: ports.router,
    log: child('router'),
  });
  router.attachWebSocket(front.server);
  servers.push(front);

  return { apps, clientOf: client, stop: () => teardown.run() };
}
