import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { openQueue } from '@agentstore/kernel/queue';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'provisioner', level: settings.LOG_LEVEL });
const db = openDatabase({
  url: settings.DATABASE_URL,
  schema: 'provisioner',
  max: settings.DATABASE_POOL,
  log,
});
const queue = await openQueue({ url: settings.DATABASE_URL, log });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['order:grant', 'wallet:topup'],
});
const app = createApp({
  db,
  queue,
  log,
  authenticate: processAuthenticator({
    audience: 'provisioner',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
  billing: createServiceClient({ name: 'billing', baseUrl: settings.BILLING_URL, token }),
  appBaseUrl: settings.APP_BASE_URL,
  allowedSaleorApiUrls: settings.ALLOWED_SALEOR_API_URLS.split(',').map((url) => url.trim()),
  tokenKey: Buffer.from(settings.APP_TOKEN_KEY, 'base64'),
  parkedRetrySeconds: settings.PARKED_RETRY_SECONDS,
  inboxDays: settings.INBOX_DAYS,
});
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: async () => {
    await queue.stop();
    await db.close();
  },
});
