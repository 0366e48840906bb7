import { Client } from 'minio';
import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { artifactChecker } from './artifact-checker.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'gitops', level: settings.LOG_LEVEL });
const db = openDatabase({ url: settings.DATABASE_URL, schema: 'gitops', max: settings.DATABASE_POOL, log });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const objects = new URL(settings.S3_URL);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['gitops:write', 'gitops:observe'],
});
const app = createApp({
  db,
  log,
  authenticate: processAuthenticator({
    audience: 'gitops',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
  ...(settings.RAG_URL
    ? { rag: createServiceClient({ name: 'rag', baseUrl: settings.RAG_URL, token }) }
    : {}),
  repository: settings.GIT_REPOSITORY,
  branch: settings.GIT_BRANCH,
  environment: settings.GITOPS_ENVIRONMENT,
  leaseSeconds: settings.LEASE_SECONDS,
  sweepEveryMs: settings.GITOPS_SWEEP_SECONDS * 1_000,
  artifactIsThere: artifactChecker(
    new Client({
      endPoint: objects.hostname,
      port: Number(objects.port) || (objects.protocol === 'https:' ? 443 : 80),
      useSSL: objects.protocol === 'https:',
      accessKey: settings.S3_ACCESS_KEY,
      secretKey: settings.S3_SECRET_KEY,
      region: settings.S3_REGION,
    }),
  ),
});
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: () => db.close(),
});
