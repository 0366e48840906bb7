import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'billing', level: settings.LOG_LEVEL });
const db = openDatabase({ url: settings.DATABASE_URL, schema: 'billing', max: settings.DATABASE_POOL, log });
const authenticate = processAuthenticator({
  audience: 'billing',
  issuer: settings.OIDC_ISSUER,
  endpoints: await discoverIssuer(settings.OIDC_ISSUER),
  serviceAudience: settings.SERVICE_AUDIENCE,
  internalJwks: settings.INTERNAL_JWKS,
});
const app = createApp({ db, authenticate, log, sweepEveryMs: settings.SWEEP_SECONDS * 1_000 });
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: () => db.close(),
});
