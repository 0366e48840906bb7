import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';
import { ragflowSettings } from './engines/ragflow/ragflow-settings.ts';

const count = z.coerce.number().int().min(1);

export const config = defineConfig('rag', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  CONTROL_PLANE_URL: z
    .url()
    .describe('Origin of the control-plane subgraph, which says what projects may hold'),
  S3_URL: z.url().describe('Origin of the S3 server'),
  S3_PUBLIC_URL: z
    .url()
    .optional()
    .describe('Origin of the same server as those who upload reach it; S3_URL unless said'),
  S3_ACCESS_KEY: z.string().describe('Access key of the bucket of documents'),
  S3_SECRET_KEY: z.string().describe('Secret key of the bucket of documents'),
  S3_REGION: z.string().default('us-east-1').describe('Region in the signatures'),
  S3_DEADLINE_MS: count
    .default(5_000)
    .describe('Milliseconds that the S3 server has for an answer, and for each next piece of a file'),
  KNOWLEDGE_BUCKET: z.string().default('knowledge').describe('Bucket of documents'),
  UPLOAD_SECONDS: count
    .max(3_600)
    .default(900)
    .describe('Seconds that an upload may take to begin, and then as long again to end'),
  CHECK_DEADLINE_MS: count
    .default(12_000)
    .describe('Milliseconds that an uploaded file may take to be read back and hashed'),
  LIMITS_SECONDS: z.coerce
    .number()
    .min(0)
    .max(30)
    .default(15)
    .describe('Seconds that it is remembered what a project may hold'),
  INGESTS: count.max(32).default(2).describe('Documents that this process ingests at once'),
  INGEST_LEASE_MS: count
    .min(5_000)
    .default(30_000)
    .describe('Milliseconds after which a worker that said nothing is taken for dead'),
  INGEST_REPORT_MS: count
    .max(2_000)
    .default(500)
    .describe('How often a worker says how far it is, and sees that its document was deleted'),
  INGEST_TRIES: count
    .max(100)
    .default(8)
    .describe(
      'Workers that may take up a document before it fails: each died or met a fault that is not of the file',
    ),
  PROVISION_TRIES: count
    .max(100)
    .default(10)
    .describe('Times that making a knowledge base in the engine is tried before it fails'),
  POLL_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(60)
    .default(2)
    .describe('How often it is looked for what no doorbell told of'),
  FILE_BYTES: count
    .max(134_217_728)
    .default(52_428_800)
    .describe('Largest file; Ragflow reads none over 128 MiB'),
  FILE_PAGES: count.default(2_000).describe('Most pages of a file'),
  FILE_TEXT_CHARACTERS: count.default(20_971_520).describe('Most text of a file, in UTF-16 units'),
  FILE_UNPACKED_BYTES: count
    .default(209_715_200)
    .describe('Most bytes that a packed file (DOCX) may unpack to'),
  EXTRACTION_DEADLINE_MS: count.default(120_000).describe('Milliseconds that reading one file may take'),
  EXTRACTION_MEMORY_MB: count.min(64).default(512).describe('MiB that reading one file may take'),
  ...ragflowSettings,
  EMBEDDINGS_URL: z
    .url()
    .optional()
    .describe('Address of an OpenAI-compatible /v1/embeddings; without it words alone are searched for'),
  EMBEDDINGS_KEY: z.string().optional().describe('Bearer for it'),
  EMBEDDINGS_MODEL: z.string().default('text-embedding-3-small').describe('Its model'),
  EMBEDDINGS_DIMENSIONS: count.max(4_096).default(1_536).describe("Length of that model's vectors"),
  EMBEDDINGS_BATCH: count.max(2_048).default(64).describe('Texts that are sent to it at once'),
  EMBEDDINGS_DEADLINE_MS: count.default(30_000).describe('Milliseconds that it has for such a batch'),
  SEARCH_CANDIDATES: count.default(512).describe('Most passages that are ranked by their words'),
  SEARCH_VECTORS: count
    .default(10_000)
    .describe(
      'Most passages of a knowledge base whose vectors are all looked at; in a larger one those of the candidates',
    ),
  SEARCH_EMBED_MS: count
    .default(1_000)
    .describe('Milliseconds that the vector of a query is waited for; without it words alone answer'),
});
