import { runTokenSigner } from '@agentstore/kernel/auth/run-token';
import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'runs', level: settings.LOG_LEVEL });
const db = openDatabase({ url: settings.DATABASE_URL, schema: 'runs', max: settings.DATABASE_POOL, log });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['instance:entitlements', 'billing:authorize', 'billing:settle'],
});
const app = createApp({
  db,
  log,
  authenticate: processAuthenticator({
    audience: 'runs',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
  billing: createServiceClient({ name: 'billing', baseUrl: settings.BILLING_URL, token }),
  signRunToken: await runTokenSigner(
    JSON.parse(settings.RUN_TOKEN_PRIVATE_JWK) as Parameters<typeof runTokenSigner>[0],
    settings.TOOLS_ORIGIN,
  ),
  eventDays: settings.EVENT_DAYS,
  maxInputCharacters: settings.MAX_INPUT_CHARACTERS,
  subscriberQueue: {
    events: settings.SUBSCRIBER_QUEUE_EVENTS,
    bytes: settings.SUBSCRIBER_QUEUE_BYTES,
  },
  sweepEveryMs: settings.SWEEP_SECONDS * 1_000,
  abandonedAfterMs: settings.ABANDONED_SECONDS * 1_000,
});
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: () => db.close(),
});
