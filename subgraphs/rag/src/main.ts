import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';
import { connect } from './connect.ts';
import { openRagflow } from './engines/ragflow/open-ragflow.ts';

const settings = config.read();
const log = createLog({ name: 'rag', level: settings.LOG_LEVEL });
const db = openDatabase({ url: settings.DATABASE_URL, schema: 'rag', max: settings.DATABASE_POOL, log });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['instance:entitlements'],
});
const ragflow = openRagflow(settings, { database: db, fileBytes: settings.FILE_BYTES, log });
const embeddingsKey = settings.EMBEDDINGS_KEY;
const app = createApp(
  connect(settings, {
    log,
    db,
    authenticate: processAuthenticator({
      audience: 'rag',
      issuer: settings.OIDC_ISSUER,
      endpoints,
      serviceAudience: settings.SERVICE_AUDIENCE,
      internalJwks: settings.INTERNAL_JWKS,
    }),
    controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
    engine: ragflow?.engine,
    embeddings: settings.EMBEDDINGS_URL
      ? createServiceClient({
          name: 'embeddings',
          baseUrl: new URL(settings.EMBEDDINGS_URL).origin,
          deadlineMs: settings.EMBEDDINGS_DEADLINE_MS,
          ...(embeddingsKey ? { token: () => Promise.resolve(embeddingsKey) } : {}),
        })
      : undefined,
  }),
);
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: async () => {
    await ragflow?.close();
    await db.close();
  },
});
