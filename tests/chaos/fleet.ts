import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import { createLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { migrateQueue } from '@agentstore/kernel/queue';
import { composeToFile } from '@agentstore/schema/compose-supergraph';
import { fetchSaleorSdl, ownSubgraphs, saleorName } from '@agentstore/schema/subgraphs';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { serviceAudience, servicePermissions } from '../../infra/dev/identity/services.ts';
import { DataDirectoryInUse } from '../../infra/dev/postgres/former-server.ts';
import {
  appRoleUrl,
  ensureDatabase,
  startPostgres,
  withDatabase,
  type Postgres,
} from '../../infra/dev/postgres/postgres.ts';
import { createProgress } from '../../infra/dev/progress.ts';
import { seedShop } from '../../infra/dev/shop/seed.ts';
import { registerCatalogue } from '../../infra/dev/stack/catalogue.ts';
import { registerHelpDesk } from '../../infra/dev/stack/help-desk.ts';
import { registerOrderDesk } from '../../infra/dev/stack/order-desk.ts';
import { startDoubles, type Doubles } from '../../infra/dev/stack/doubles.ts';
import { demoConnectorSecrets } from '../../infra/dev/state/demo-connector-secrets.ts';
import { devSecrets, type DevSecrets } from '../../infra/dev/state/secrets.ts';
import { freePorts } from '../setup/free-ports.ts';
import { patienceMs } from '../setup/persistently.ts';
import type { ChaosStore } from './chaos-store.ts';

const root = path.join(import.meta.dirname, '../..');

/** Our processes, each started from its own main.ts. */
export const processNames = [
  'billing',
  'control-plane',
  'runs',
  'rag',
  'gitops',
  'provisioner',
  'tools',
  'runner',
  'router',
] as const;
export type ProcessName = (typeof processNames)[number];

const mains: Readonly<Record<ProcessName, string>> = {
  billing: 'subgraphs/billing/src/main.ts',
  'control-plane': 'subgraphs/control-plane/src/main.ts',
  runs: 'subgraphs/runs/src/main.ts',
  rag: 'subgraphs/rag/src/main.ts',
  gitops: 'workers/gitops/src/main.ts',
  provisioner: 'workers/provisioner/src/main.ts',
  tools: 'workers/tools/src/main.ts',
  runner: 'workers/runner/src/main.ts',
  router: 'router/src/main.ts',
};

/** The store as a deployment runs it: one process per app, PostgreSQL beside them, the doubles in this process. */
export interface Fleet extends ChaosStore {
  /** kill -9 of these processes (`postgres` too), then their restart; resolves when all are ready again. */
  killAndRestart(names: readonly (ProcessName | 'postgres')[]): Promise<void>;
}

export async function startFleet(stateDir: string): Promise<Fleet> {
  fs.mkdirSync(stateDir, { recursive: true });
  fs.chmodSync(stateDir, 0o711);
  const log = createLog({
    name: 'chaos',
    destination: fs.createWriteStream(path.join(stateDir, 'doubles.log'), { flags: 'a' }),
  });
  const ports = await freePorts();
  const appPorts = Object.fromEntries(
    await Promise.all(
      processNames.map(async (name) => [
        name,
        name === 'router' || name === 'provisioner' || name === 'tools' ? ports[name] : await freePort(),
      ]),
    ),
  ) as Record<ProcessName, number>;
  const publicOrigin = `http://127.0.0.1:${ports.router}`;
  const secrets = await devSecrets(stateDir);
  // Ours, not the doubles': it is killed and started again while they run on.
  const cluster = { dataDir: path.join(stateDir, 'postgres'), port: ports.postgres };
  let postgres = await startPostgres(cluster);
  const adminUrl = await ensureDatabase(postgres.adminUrl, 'agentstore');
  await migrateAll(adminUrl, findMigrations(root));
  await migrateQueue(adminUrl, 'agentstore_app');
  const appUrl = withDatabase(await appRoleUrl(adminUrl), 'agentstore');
  const doubles = await startDoubles({
    postgres: { adminUrl, appUrl },
    stateDir,
    ports,
    secrets,
    publicOrigin,
    runtime: 'dev',
    delayPerTokenMs: 8,
    shopRetryScheduleSeconds: [1, 2, 4, 8, 16],
    log,
    progress: createProgress({ write: () => undefined }),
  });
  const supergraphFile = path.join(stateDir, 'supergraph.graphql');
  composeToFile(
    [...ownSubgraphs(), { name: saleorName, sdl: await fetchSaleorSdl(doubles.shop.url) }],
    supergraphFile,
  );
  const repository = path.join(stateDir, 'git/agentstore.git');
  const environments = environmentsOf({
    doubles,
    secrets,
    appPorts,
    publicOrigin,
    supergraphFile,
    repository,
  });

  const children = new Map<ProcessName, ChildProcess>();
  const crashes: string[] = [];
  let isRestarting = false;
  const start = (name: ProcessName): Promise<void> => {
    const out = fs.openSync(path.join(stateDir, `${name}.log`), 'a');
    const child = spawn(process.execPath, [mains[name]], {
      cwd: root,
      env: environments[name],
      stdio: ['ignore', out, out, 'ipc'],
    });
    fs.closeSync(out);
    children.set(name, child);
    return new Promise((resolve, reject) => {
      let isReady = false;
      const timer = setTimeout(
        () => reject(new Error(`${name} was not ready within ${patienceMs / 1_000} s`)),
        patienceMs,
      );
      child.once('message', () => {
        isReady = true;
        clearTimeout(timer);
        resolve();
      });
      // A supervisor starts again what ended. It may end while it starts beside a PostgreSQL that recovers; nothing that was ready ends by itself.
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        if (children.get(name) !== child) return;
        if (isReady || !isRestarting) crashes.push(`${name} ended by itself: ${code ?? signal}`);
        setTimeout(() => start(name).then(resolve, reject), 200);
      });
    });
  };
  const kill = async (name: ProcessName): Promise<void> => {
    const child = children.get(name)!;
    children.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };

  await Promise.all(processNames.map(start));
  await doubles.shop.setOidcPlugin({
    jwksUrl: doubles.identity.jwksUrl,
    userInfoUrl: `${publicOrigin}/oidc/userinfo`,
    audience: doubles.identity.audience,
  });
  const shop = await seedShop(doubles.shop, {
    appManifestUrl: `http://127.0.0.1:${ports.provisioner}/api/manifest`,
  });
  const controlPlane = serviceClient(doubles, appPorts['control-plane']);
  await registerCatalogue({ doubles, secrets, shop, controlPlane });
  const site = { doubles, secrets, toolsOrigin: `http://127.0.0.1:${ports.tools}`, controlPlane };
  await registerOrderDesk(site);
  await registerHelpDesk(site);

  return {
    publicOrigin,
    adminUrl,
    repository,
    identity: doubles.identity,
    shop: {
      url: doubles.shop.url,
      staffToken: () => doubles.shop.staffToken(),
      channel: shop.channel,
      variants: { pro: shop.variants.pro.id, pack1000: shop.variants.pack1000.id },
    },
    connectorSecrets: demoConnectorSecrets(stateDir),
    vault: { url: doubles.vault.url, rootToken: secrets.vault.rootToken },
    objects: { url: doubles.objects.url, ...secrets.objects },
    ordersCalls: () => doubles.upstreams.calls().orders,
    async buyer(name) {
      const buyer = { email: `${name}@example.test`, password: 'a password of chaos' };
      await doubles.identity.addUser({
        ...buyer,
        givenName: 'Chaos',
        familyName: name,
        emailVerified: true,
      });
      return buyer;
    },
    crashes: () => crashes.splice(0),
    async killAndRestart(names) {
      isRestarting = true;
      try {
        const apps = names.filter((name): name is ProcessName => name !== 'postgres');
        await Promise.all(apps.map(kill));
        if (names.includes('postgres')) {
          process.kill(postgres.pid, 'SIGKILL');
          postgres = await restartPostgres(cluster);
        }
        await Promise.all(apps.map(start));
      } finally {
        isRestarting = false;
      }
    },
    async stop() {
      await Promise.all([...children.keys()].map(kill));
      await doubles.stop();
      await postgres.stop();
    },
  };
}

/** Its backends outlive a killed postmaster for a moment; until they are gone a new one is refused. */
async function restartPostgres(options: { dataDir: string; port: number }): Promise<Postgres> {
  for (const deadline = Date.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    try {
      return await startPostgres(options);
    } catch (error) {
      if (!(error instanceof DataDirectoryInUse) || Date.now() > deadline) throw error;
    }
  }
}

function serviceClient(doubles: Doubles, port: number): ServiceClient {
  const token = serviceTokenSource({
    tokenUrl: doubles.identity.tokenUrl,
    clientId: 'seed',
    clientSecret: doubles.identity.serviceSecrets['seed']!,
    audience: serviceAudience,
    scope: servicePermissions['seed']!,
  });
  return createServiceClient({ name: 'control-plane', baseUrl: `http://127.0.0.1:${port}`, token });
}

/** The environment of each process, as its config.ts documents it. */
function environmentsOf(o: {
  doubles: Doubles;
  secrets: DevSecrets;
  appPorts: Record<ProcessName, number>;
  publicOrigin: string;
  supergraphFile: string;
  repository: string;
}): Record<ProcessName, NodeJS.ProcessEnv> {
  const { doubles, secrets, appPorts } = o;
  const url = (name: ProcessName): string => `http://127.0.0.1:${appPorts[name]}`;
  const s3 = {
    S3_URL: doubles.objects.url,
    S3_ACCESS_KEY: secrets.objects.accessKey,
    S3_SECRET_KEY: secrets.objects.secretKey,
  };
  const common = (name: ProcessName): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    PORT: String(appPorts[name]),
    LOG_LEVEL: 'info',
    DATABASE_URL: doubles.databaseUrl,
    OIDC_ISSUER: doubles.identity.issuer,
    INTERNAL_JWKS: JSON.stringify(secrets.internalJwks),
    OIDC_CLIENT_ID: name,
    OIDC_CLIENT_SECRET: doubles.identity.serviceSecrets[name] ?? '',
    CONTROL_PLANE_URL: url('control-plane'),
    BILLING_URL: url('billing'),
    RUNS_URL: url('runs'),
    RAG_URL: url('rag'),
    GITOPS_URL: url('gitops'),
    TOOLS_URL: url('tools'),
    TOOLS_ORIGIN: url('tools'),
    VAULT_ORIGIN: doubles.vault.url,
  });
  return {
    billing: common('billing'),
    'control-plane': {
      ...common('control-plane'),
      ...s3,
      VAULT_KEY: JSON.stringify(secrets.vault.controlPlaneLogin),
    },
    runs: { ...common('runs'), RUN_TOKEN_PRIVATE_JWK: JSON.stringify(secrets.runTokens.privateJwk) },
    tools: {
      ...common('tools'),
      TOOLS_ORIGIN: url('tools'),
      RUN_TOKEN_JWKS: JSON.stringify(secrets.runTokens.jwks),
      VAULT_KEY: JSON.stringify(secrets.vault.toolsLogin),
      EGRESS_PRIVATE_ORIGINS: doubles.upstreams.url,
    },
    // A file is removed once more when its upload's time and as long again is over: within the run, for most.
    rag: { ...common('rag'), ...s3, UPLOAD_SECONDS: '60' },
    gitops: { ...common('gitops'), ...s3, GIT_REPOSITORY: o.repository, LEASE_SECONDS: '3' },
    provisioner: {
      ...common('provisioner'),
      APP_BASE_URL: url('provisioner'),
      ALLOWED_SALEOR_API_URLS: doubles.shop.url,
      APP_TOKEN_KEY: secrets.aplKey,
    },
    runner: {
      ...common('runner'),
      ...s3,
      RUNNER_URL: url('runner'),
      RUNTIME_URL: doubles.runtime.url,
      RUNTIME_API_KEY: secrets.runtimeKey,
      RUNTIME_GLOBALS: '{"OPENAI_API_KEY":"chaos"}',
      SESSION_SECRET: secrets.sessionSecret,
      LEASE_SECONDS: '3',
      HEARTBEAT_SECONDS: '1',
    },
    router: {
      ...common('router'),
      PUBLIC_ORIGIN: o.publicOrigin,
      SUPERGRAPH_FILE: o.supergraphFile,
      OIDC_AUDIENCE: doubles.identity.audience,
      INTERNAL_PRIVATE_JWK: JSON.stringify(secrets.internalPrivateJwk),
      SALEOR_API_URL: doubles.shop.url,
      STAFF_EMAILS: 'admin@example.com',
      INTROSPECTION: 'everybody',
    },
  };
}
