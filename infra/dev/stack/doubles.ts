import { hash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { findMigrations, migrateAll } from '@agentstore/kernel/db/migrate';
import type { Log } from '@agentstore/kernel/log';
import { migrateQueue } from '@agentstore/kernel/queue';
import { startIdentity, type Identity } from '../identity/identity.ts';
import { startObjects, type Objects } from '../objects/objects.ts';
import {
  appRoleUrl,
  ensureDatabase,
  startPostgres,
  withDatabase,
  type Postgres,
} from '../postgres/postgres.ts';
import type { Progress } from '../progress.ts';
import { startLfx } from '../runtime/lfx.ts';
import { startRuntime } from '../runtime/runtime.ts';
import { startScriptedModel, type ScriptedModel } from '../runtime/scripted-model.ts';
import { startShop, type RunningShop } from '../shop/server.ts';
import { startUpstreams, type Upstreams } from '../upstreams/upstreams.ts';
import { startVault, type Vault } from '../vault/vault.ts';
import { publicPem } from '../../vault/public-pem.ts';
import { setupVault } from '../../vault/setup-vault.ts';
import { demoConnectorSecrets } from '../state/demo-connector-secrets.ts';
import { roomiestPort, type Ports } from '../state/ports.ts';
import type { DevSecrets } from '../state/secrets.ts';
import { keepRunning } from './keep-running.ts';
import { createTeardown } from './teardown.ts';

export const artifactBucket = 'artifacts';
export const knowledgeBucket = 'knowledge';

/** The servers that stand in for what a deployment has: each speaks the real wire protocol. */
export interface Doubles {
  /** Absent when the database is somebody else's (tests). */
  readonly postgres: Postgres | undefined;
  readonly adminUrl: string;
  readonly databaseUrl: string;
  readonly identity: Identity;
  readonly objects: Objects;
  readonly model: ScriptedModel;
  readonly runtime: { readonly url: string; readonly flavour: 'lfx' | 'langflow'; readonly name: string };
  readonly shop: RunningShop;
  readonly vault: Vault;
  /** The servers behind the demo's connectors. */
  readonly upstreams: Upstreams;
  /** Takes the runtime away, for tests of what happens then. */
  stopRuntime(): Promise<void>;
  stop(): Promise<void>;
}

export interface DoublesOptions {
  readonly stateDir: string;
  readonly ports: Ports;
  readonly secrets: DevSecrets;
  readonly publicOrigin: string;
  readonly runtime: 'dev' | 'lfx';
  /** A server that runs already; its database `database` is used instead of starting one. */
  readonly postgres?: { readonly adminUrl: string; readonly appUrl: string };
  readonly delayPerTokenMs: number;
  /** Aborted: an install under way ends. */
  readonly signal?: AbortSignal;
  readonly shopRetryScheduleSeconds?: readonly number[];
  readonly log: Log;
  readonly progress: Progress;
}

export async function startDoubles(options: DoublesOptions): Promise<Doubles> {
  const { stateDir, ports, secrets, log, progress } = options;
  const at = (name: string): string => path.join(stateDir, name);
  fs.mkdirSync(stateDir, { recursive: true });
  const teardown = createTeardown(log);
  const tell = (text: string): void => progress.line(`  ${text}`);
  try {
    const database = await progress.step('PostgreSQL', async (say) => {
      if (options.postgres) return { ...options.postgres, postgres: undefined };
      const postgres = await keepRunning({
        name: 'PostgreSQL',
        start: (onEnd) => startPostgres({ dataDir: at('postgres'), port: ports.postgres, log, onEnd }),
        log,
        say: tell,
      });
      teardown.later('PostgreSQL', () => postgres.stop());
      const { adminUrl: serverUrl, dataDir } = postgres.current;
      const adminUrl = await ensureDatabase(serverUrl, 'agentstore');
      const elsewhere = dataDir.startsWith(`${stateDir}${path.sep}`) ? '' : `, its data in ${dataDir}`;
      say(`18.4 on 127.0.0.1:${ports.postgres}${elsewhere}`);
      return { adminUrl, appUrl: '', postgres };
    });
    const databaseUrl = await progress.step('migrations', async (say) => {
      const { applied } = await migrateAll(
        database.adminUrl,
        findMigrations(path.join(import.meta.dirname, '../../..')),
      );
      if (applied.length || !options.postgres) await migrateQueue(database.adminUrl, 'agentstore_app');
      say(applied.length ? `${applied.length} applied` : 'nothing to do');
      return database.appUrl || withDatabase(await appRoleUrl(database.adminUrl), 'agentstore');
    });
    const identity = await progress.step('identity', async (say) => {
      const started = await startIdentity({
        port: ports.identity,
        stateDir: at('identity'),
        databaseUrl,
        publicOrigin: options.publicOrigin,
        log,
      });
      teardown.later('identity', () => started.stop());
      say(`oidc-provider at ${started.issuer}`);
      return started;
    });
    const objects = await progress.step('object storage', async (say) => {
      const started = await startObjects({
        dir: at('objects'),
        port: ports.objects,
        ...secrets.objects,
        buckets: [artifactBucket, knowledgeBucket],
        log,
      });
      teardown.later('object storage', () => started.stop());
      say(`S3 at ${started.url}`);
      return started;
    });
    const vault = await progress.step('secret store', async (say) => {
      const started = await startVault({
        stateDir: at('vault'),
        port: ports.vault,
        unsealKey: secrets.vault.unsealKey,
        rootToken: secrets.vault.rootToken,
        log,
      });
      teardown.later('secret store', () => started.stop());
      const { rootToken, toolsLogin, controlPlaneLogin } = secrets.vault;
      await setupVault({
        url: started.url,
        token: rootToken,
        loginKeys: { tools: [publicPem(toolsLogin)], controlPlane: [publicPem(controlPlaneLogin)] },
      });
      say(`Vault's protocol at ${started.url}`);
      return started;
    });
    const model = await startScriptedModel({
      port: ports.model,
      log,
      delayPerTokenMs: options.delayPerTokenMs,
    });
    teardown.later('model', () => model.stop());
    const runtime = await progress.step('flow runtime', async (say) => {
      if (options.runtime === 'lfx') {
        let address = '';
        // It goes upwards when its port is not free at once, and above the runtime's own are those of parts that listen later.
        const port = roomiestPort(ports);
        const kept = await keepRunning({
          name: 'lfx',
          start: async (onEnd) => {
            const started = await startLfx({
              port,
              apiKey: secrets.runtimeKey,
              stateDir: at('runtime'),
              log,
              onProgress: (text) => progress.line(`    ${text}`),
              onEnd,
              ...(options.signal ? { signal: options.signal } : {}),
            });
            address ||= started.url;
            if (started.url === address) return started;
            // It found its port taken (its former connections are in TIME_WAIT), and the runner asks the former address.
            await started.stop();
            throw new Error(`lfx came back at ${started.url} instead of ${address}`);
          },
          log,
          say: tell,
          pauseMs: 5_000,
        });
        const lfx = kept.current;
        teardown.later('flow runtime', () => kept.stop());
        say(`lfx ${lfx.version} at ${lfx.url}`);
        return { url: lfx.url, flavour: 'lfx' as const, name: `lfx ${lfx.version}`, stop: () => kept.stop() };
      }
      const started = await startRuntime({
        port: ports.runtime,
        apiKey: secrets.runtimeKey,
        dir: at('runtime'),
        log,
      });
      teardown.later('flow runtime', () => started.stop());
      say(`Langflow's wire at ${started.url}`);
      return { url: started.url, flavour: 'lfx' as const, name: 'dev runtime', stop: () => started.stop() };
    });
    const shop = await progress.step('shop', async (say) => {
      const started = await startShop({
        port: ports.shop,
        databaseUrl,
        stateDir: at('shop'),
        log,
        ...(options.shopRetryScheduleSeconds
          ? { retryScheduleSeconds: options.shopRetryScheduleSeconds }
          : {}),
      });
      teardown.later('shop', () => started.stop());
      say(`Saleor's protocol at ${started.url}`);
      return started;
    });
    const accepted = demoConnectorSecrets(stateDir);
    const upstreams = await startUpstreams({
      port: ports.upstreams,
      ordersKeySha256: sha256(accepted.orders),
      statusTokenSha256: sha256(accepted.status),
      log,
    });
    teardown.later('upstreams', () => upstreams.stop());
    return {
      get postgres() {
        return database.postgres?.current;
      },
      adminUrl: database.adminUrl,
      databaseUrl,
      identity,
      objects,
      model,
      runtime,
      shop,
      vault,
      upstreams,
      stopRuntime: () => runtime.stop(),
      stop: () => teardown.run(),
    };
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

const sha256 = (text: string): string => hash('sha256', text);
