import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { ServiceClient } from '@agentstore/kernel/service-client';
import type { config } from './config.ts';
import type { Deps } from './deps.ts';
import { openDocumentStorage } from './documents/document-storage.ts';
import { createEmbeddedEngine } from './engines/embedded/embedded-engine.ts';
import type { KnowledgeEngine } from './engines/engine.ts';
import type { Embedder } from './engines/embedded/embedder.ts';
import { openAiEmbedder } from './engines/embedded/openai-embedder.ts';

type Settings = ReturnType<typeof config.read>;

/** The subgraph's dependencies from its configuration and the service it calls (over HTTP, or in this process). */
export function connect(
  settings: Settings,
  {
    embeddings,
    ...services
  }: {
    readonly log: Log;
    readonly db: Database;
    readonly authenticate: Authenticator;
    readonly controlPlane: ServiceClient;
    /** Another one than the embedded. */
    readonly engine?: KnowledgeEngine | undefined;
    /** At the origin of EMBEDDINGS_URL, with its key; undefined when there is none. */
    readonly embeddings: ServiceClient | undefined;
  },
): Deps {
  return {
    ...services,
    engine: services.engine ?? embeddedEngine(settings, { ...services, embeddings }),
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
  };
}

function embeddedEngine(
  settings: Settings,
  services: {
    readonly db: Database;
    readonly log: Log;
    readonly embeddings: ServiceClient | undefined;
  },
): KnowledgeEngine {
  return createEmbeddedEngine({
    database: services.db,
    embedder: embedderOf(settings, services.embeddings),
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
    log: services.log,
  });
}

function embedderOf(settings: Settings, client: ServiceClient | undefined): Embedder | undefined {
  if (!settings.EMBEDDINGS_URL || !client) return undefined;
  const { pathname, search } = new URL(settings.EMBEDDINGS_URL);
  return openAiEmbedder({
    client,
    path: pathname + search,
    model: settings.EMBEDDINGS_MODEL,
    dimensions: settings.EMBEDDINGS_DIMENSIONS,
    batch: settings.EMBEDDINGS_BATCH,
  });
}
