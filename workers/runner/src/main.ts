import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';
import { connect } from './connect.ts';

const settings = config.read();
const log = createLog({ name: 'runner', level: settings.LOG_LEVEL });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['run:execute', 'billing:settle'],
});
const deps = connect(settings, {
  log,
  authenticate: processAuthenticator({
    audience: 'runner',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  runs: createServiceClient({ name: 'runs', baseUrl: settings.RUNS_URL, token }),
  billing: createServiceClient({ name: 'billing', baseUrl: settings.BILLING_URL, token }),
});
await runProcess({
  app: createApp(deps),
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  // The runs that end call tools, of which it is told.
  listensToTheEnd: true,
  close: () => Promise.resolve(),
});
