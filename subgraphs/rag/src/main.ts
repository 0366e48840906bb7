import { discoverIssuer, processAuthenticator } from '@agentstore/kernel/auth/trust';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { openDatabase } from '@agentstore/kernel/db/database';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';
import { openDocumentStorage } from './documents/document-storage.ts';
import { createEmbeddedEngine } from './engines/embedded/embedded-engine.ts';
import type { Embedder } from './engines/embedded/embedder.ts';
import { openAiEmbedder } from './engines/embedded/openai-embedder.ts';

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
const app = createApp({
  db,
  log,
  authenticate: processAuthenticator({
    audience: 'rag',
    issuer: settings.OIDC_ISSUER,
    endpoints,
    serviceAudience: settings.SERVICE_AUDIENCE,
    internalJwks: settings.INTERNAL_JWKS,
  }),
  controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
  engine: createEmbeddedEngine({
    database: db,
    embedder: embedderOf(settings.EMBEDDINGS_URL),
    limits: {
      fileBytes: settings.FILE_BYTES,
      pages: settings.FILE_PAGES,
      textChars: settings.FILE_TEXT_CHARACTERS,
      unpackedBytes: settings.FILE_UNPACKED_BYTES,
    },
    extraction: {
      deadlineMs: settings.EXTRACTION_DEADLINE_MS,
      memoryMb: settings.EXTRACTION_MEMORY_MB,
    },
    search: {
      candidates: settings.SEARCH_CANDIDATES,
      wholeBaseVectors: settings.SEARCH_VECTORS,
      embedMs: settings.SEARCH_EMBED_MS,
    },
    log,
  }),
  storage: openDocumentStorage({
    url: settings.S3_URL,
    publicUrl: settings.S3_PUBLIC_URL ?? settings.S3_URL,
    accessKey: settings.S3_ACCESS_KEY,
    secretKey: settings.S3_SECRET_KEY,
    region: settings.S3_REGION,
    bucket: settings.KNOWLEDGE_BUCKET,
    uploadSeconds: settings.UPLOAD_SECONDS,
    deadlineMs: settings.S3_DEADLINE_MS,
  }),
  maxFileBytes: settings.FILE_BYTES,
  uploadSeconds: settings.UPLOAD_SECONDS,
  checkDeadlineMs: settings.CHECK_DEADLINE_MS,
  limitsKeptMs: settings.LIMITS_SECONDS * 1_000,
  ingest: {
    concurrency: settings.INGESTS,
    leaseMs: settings.INGEST_LEASE_MS,
    reportMs: settings.INGEST_REPORT_MS,
    tries: settings.INGEST_TRIES,
  },
  provisionTries: settings.PROVISION_TRIES,
  pollMs: settings.POLL_SECONDS * 1_000,
});
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: () => db.close(),
});

function embedderOf(address: string | undefined): Embedder | undefined {
  if (!address) return undefined;
  const { origin, pathname, search } = new URL(address);
  const key = settings.EMBEDDINGS_KEY;
  return openAiEmbedder({
    client: createServiceClient({
      name: 'embeddings',
      baseUrl: origin,
      deadlineMs: settings.EMBEDDINGS_DEADLINE_MS,
      ...(key ? { token: () => Promise.resolve(key) } : {}),
    }),
    path: pathname + search,
    model: settings.EMBEDDINGS_MODEL,
    dimensions: settings.EMBEDDINGS_DIMENSIONS,
    batch: settings.EMBEDDINGS_BATCH,
  });
}
