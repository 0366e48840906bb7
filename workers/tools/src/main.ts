import type { JWK } from 'jose';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { startTelemetry } from '@agentstore/kernel/telemetry';
import { createVaultReader } from '@agentstore/kernel/vault/vault-secrets';
import { createApp } from './app.ts';
import { config } from './config.ts';
import { connect } from './connect.ts';

const settings = config.read();
const log = createLog({ name: 'tools', level: settings.LOG_LEVEL });
const telemetry = await startTelemetry({ service: 'tools', otlpUrl: settings.OTEL_EXPORTER_OTLP_ENDPOINT });
const db = openDatabase({ url: settings.DATABASE_URL, schema: 'tools', max: settings.DATABASE_POOL, log });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['applied:read', 'connector:read', 'run:tool', 'knowledge:search'],
});
const secrets = await createVaultReader({
  origin: settings.VAULT_ORIGIN,
  key: JSON.parse(settings.VAULT_KEY) as JWK,
  deadlineMs: settings.VAULT_DEADLINE_MS,
});
const deps = connect(settings, {
  log,
  db,
  authenticate: processAuthenticator({
    audience: 'tools',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
  knowledge: createServiceClient({ name: 'rag', baseUrl: settings.RAG_URL, token }),
  gitops: createServiceClient({ name: 'gitops', baseUrl: settings.GITOPS_URL }),
  serviceToken: token,
  ownerAt: (origin) => createServiceClient({ name: 'runner', baseUrl: origin, token }),
  secrets,
});
await runProcess({
  app: createApp(deps),
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: async () => {
    await secrets.close();
    await db.close();
    await telemetry.stop();
  },
});
