import { openDatabase } from '@agentstore/kernel/db/database';
import { serve } from '@agentstore/kernel/http/server';
import type { Log } from '@agentstore/kernel/log';
import { newCustomer } from './accounts.ts';
import type { Shop } from './context.ts';
import { saleorRetrySchedule, startDeliveries, type LostDelivery } from './deliver-webhooks.task.ts';
import { createGraphqlHandler } from './graphql.http.ts';
import { installApp, resumeInstallations } from './install-app.ts';
import { loadSigningKey } from './keys.ts';
import { createOidcPlugin } from './oidc-plugin.ts';
import { setOidcPlugin, type OidcSettings } from './set-oidc-plugin.ts';
import { buildPayloadSchema, buildShopSchema } from './schema.ts';
import { inTransaction, openStore } from './store.ts';
import { hashPassword, signUserToken } from './tokens.ts';
import { emitEvent } from './webhooks.ts';

/** The superuser that every dev shop has, as Saleor's sample data does. */
export const shopAdmin = { email: 'admin@example.com', password: 'admin' };

export interface StartShopOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** A PostgreSQL in which this folder's migrations ran (the kernel's migrateAll finds them; schema `dev_shop`). */
  readonly databaseUrl: string;
  /** Holds the signing key, mode 0600. */
  readonly stateDir: string;
  /** Origin that tokens, headers and `iss` name; the address it listens on when absent. */
  readonly publicUrl?: string;
  readonly log: Log;
  readonly now?: () => Date;
  /** Waits after failed deliveries; Saleor's 10·2ⁿ when absent. */
  readonly retryScheduleSeconds?: readonly number[];
  /** How long a receiver may take; Saleor's 18 s when absent. */
  readonly deliveryTimeoutMs?: number;
}

/** A running dev shop. */
export interface RunningShop {
  /** The GraphQL endpoint, `…/graphql/`; also what `Saleor-Api-Url` says. */
  readonly url: string;
  readonly origin: string;
  readonly admin: typeof shopAdmin;
  /** A fresh access token (5 minutes) of the superuser. */
  staffToken(): Promise<string>;
  /** Makes the shop trust an OpenID Connect issuer, by pluginUpdate; the arrangement that holds on the real one too. */
  setOidcPlugin(settings: OidcSettings): Promise<void>;
  /** The next delivery of an event type (`ORDER_FULLY_PAID`) is lost on its way: signed, never sent, not tried again. Answers it. */
  loseNextDelivery(eventType: string): Promise<LostDelivery>;
  /** Forgets cached issuer keys and userinfo answers. */
  clearOidcCaches(): void;
  stop(): Promise<void>;
}

/** Starts the shop on loopback. Everything it answered is in PostgreSQL: after kill -9 the next start goes on with orders and deliveries. */
export async function startShop(options: StartShopOptions): Promise<RunningShop> {
  const { log } = options;
  const now = options.now ?? (() => new Date());
  const database = openDatabase({ url: options.databaseUrl, schema: 'dev_shop', log, max: 10 });
  const oidc = createOidcPlugin({ database, log, now });
  const installations = new Set<Promise<void>>();
  const schema = buildShopSchema();
  const payloadSchema = buildPayloadSchema();
  const key = await loadSigningKey(options.stateDir);
  let handle = (_request: Request): Promise<Response> => Promise.resolve(new Response(null, { status: 503 }));
  const http = await serve({ fetch: (request) => handle(request), port: options.port, log });
  const origin = (options.publicUrl ?? http.origin).replace(/\/$/, '');
  const shop: Shop = {
    database,
    log,
    key,
    oidc,
    origin,
    apiUrl: `${origin}/graphql/`,
    now,
    emit: (tx, event) => emitEvent({ shop, payloadSchema: () => payloadSchema }, tx, event),
    wakeDeliveries: () => deliveries.wake(),
    startInstallation(pk) {
      const work = installApp(shop, pk)
        .catch((error: unknown) =>
          log.error({ err: error, installation: pk }, 'installation could not be settled'),
        )
        .finally(() => installations.delete(work));
      installations.add(work);
    },
  };
  await ensureAdmin(shop).catch(async (error: unknown) => {
    await http.close();
    await database.close();
    throw error;
  });
  const deliveries = startDeliveries(shop, {
    retryScheduleSeconds: options.retryScheduleSeconds ?? saleorRetrySchedule,
    timeoutMs: options.deliveryTimeoutMs ?? 18_000,
  });
  const graphql = createGraphqlHandler(shop, schema);
  handle = (request) => route(shop, graphql, request);
  await resumeInstallations(shop);
  log.info({ url: shop.apiUrl }, 'dev shop listens');

  const staffToken = async (): Promise<string> => {
    const [admin] = await openStore(database).find('User', 'email', shopAdmin.email);
    return signUserToken(shop, admin!, { type: 'access' });
  };
  return {
    url: shop.apiUrl,
    origin,
    admin: shopAdmin,
    staffToken,
    setOidcPlugin: async (settings) =>
      setOidcPlugin({ url: `${http.origin}/graphql/`, token: await staffToken() }, settings),
    loseNextDelivery: (eventType) => deliveries.loseNext(eventType),
    clearOidcCaches: () => oidc.clearCaches(),
    async stop() {
      await http.close();
      await Promise.all(installations);
      await deliveries.stop();
      await database.close();
    },
  };
}

async function route(
  shop: Shop,
  graphql: (request: Request) => Promise<Response>,
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === '/.well-known/jwks.json') return Response.json(shop.key.jwks);
  if (pathname === '/health/' || pathname === '/health') return new Response('', { status: 200 });
  if (pathname !== '/graphql/' && pathname !== '/graphql') return new Response('Not found', { status: 404 });
  if (request.method !== 'POST') return new Response('', { status: 405, headers: { allow: 'POST' } });
  return graphql(request);
}

async function ensureAdmin(shop: Shop): Promise<void> {
  await inTransaction(shop.database, async (tx) => {
    if ((await tx.find('User', 'email', shopAdmin.email)).length) return;
    const password = hashPassword(shopAdmin.password);
    await newCustomer(tx, {
      email: shopAdmin.email,
      now: shop.now(),
      isStaff: true,
      isSuperuser: true,
      password,
    });
  });
}
