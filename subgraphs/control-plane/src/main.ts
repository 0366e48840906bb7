import { Client } from 'minio';
import { processAuthenticator, discoverIssuer } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { credits } from '@agentstore/kernel/credits';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createVaultWriter, type VaultOptions } from '@agentstore/kernel/vault/vault-secrets';
import { createApp } from './app.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'control-plane', level: settings.LOG_LEVEL });
const db = openDatabase({
  url: settings.DATABASE_URL,
  schema: 'control_plane',
  max: settings.DATABASE_POOL,
  log,
});
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['wallet:topup', 'billing:rate', 'audit:read'],
});
const objects = new URL(settings.S3_URL);
const secrets = await createVaultWriter({
  origin: settings.VAULT_ORIGIN,
  key: JSON.parse(settings.VAULT_KEY) as VaultOptions['key'],
  deadlineMs: settings.VAULT_DEADLINE_MS,
});
const app = createApp({
  db,
  log,
  authenticate: processAuthenticator({
    audience: 'control-plane',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  billing: createServiceClient({ name: 'billing', baseUrl: settings.BILLING_URL, token }),
  tools: createServiceClient({ name: 'tools', baseUrl: settings.TOOLS_URL, token }),
  objects: new Client({
    endPoint: objects.hostname,
    port: Number(objects.port) || (objects.protocol === 'https:' ? 443 : 80),
    useSSL: objects.protocol === 'https:',
    accessKey: settings.S3_ACCESS_KEY,
    secretKey: settings.S3_SECRET_KEY,
    region: settings.S3_REGION,
  }),
  secrets,
  toolsOrigin: settings.TOOLS_ORIGIN,
  artifactBucket: settings.ARTIFACT_BUCKET,
  knowledge: {
    knowledgeBases: settings.KNOWLEDGE_BASES,
    documents: settings.KNOWLEDGE_DOCUMENTS,
    bytes: settings.KNOWLEDGE_BYTES,
  },
  branding: {
    visitorSpendCap: credits(settings.VISITOR_SPEND_CREDITS),
    loopbackOrigins: settings.ALLOW_LOOPBACK_ORIGINS,
  },
  trial: { credits: credits(settings.TRIAL_CREDITS), days: settings.TRIAL_DAYS },
});
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: async () => void (await Promise.all([db.close(), secrets.close()])),
});
