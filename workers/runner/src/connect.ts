import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { Client } from 'minio';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { createArtifactCache } from './artifacts/artifact-cache.ts';
import type { config } from './config.ts';
import type { Deps } from './deps.ts';
import { createRuntime } from './langflow/runtime-client.ts';
import { createBillingClient } from './runs/billing-client.ts';
import { createRunsClient } from './runs/runs-client.ts';

/** A runner's dependencies from its configuration and the services it calls (over HTTP, or in this process). Opens no connection yet. */
export function connect(
  settings: ReturnType<typeof config.read>,
  services: { log: Log; authenticate: Authenticator; runs: ServiceClient; billing: ServiceClient },
): Deps {
  const { log, authenticate } = services;
  const s3 = new URL(settings.S3_URL);
  const useSSL = s3.protocol === 'https:';
  const firstEventMs = settings.FIRST_EVENT_SECONDS * 1_000;
  return {
    log,
    authenticate,
    runs: createRunsClient(services.runs),
    billing: createBillingClient(services.billing, log),
    runtime: createRuntime({
      url: settings.RUNTIME_URL,
      apiKey: settings.RUNTIME_API_KEY,
      flavour: settings.RUNTIME_FLAVOUR,
      connectMs: settings.CONNECT_SECONDS * 1_000,
      firstEventMs,
    }),
    artifacts: {
      objects: new Client({
        endPoint: s3.hostname,
        port: Number(s3.port || (useSSL ? 443 : 80)),
        useSSL,
        region: settings.S3_REGION,
        accessKey: settings.S3_ACCESS_KEY,
        secretKey: settings.S3_SECRET_KEY,
      }),
      cache: createArtifactCache(settings.ARTIFACT_CACHE_BYTES),
      maxBytes: settings.MAX_ARTIFACT_BYTES,
    },
    runnerId: settings.RUNNER_ID ?? `${os.hostname()}-${randomUUID().slice(0, 8)}`,
    ownerUrl: settings.RUNNER_URL,
    concurrency: settings.RUNNER_CONCURRENCY,
    leaseMs: settings.LEASE_SECONDS * 1_000,
    heartbeatMs: settings.HEARTBEAT_SECONDS * 1_000,
    // What is left of the time is for the runs that are ended, or handed back, in it.
    stopGraceMs: Math.max(0, settings.SHUTDOWN_SECONDS - 5) * 1_000,
    limits: {
      firstEventMs,
      idleMs: settings.IDLE_SECONDS * 1_000,
      endPatienceMs: settings.END_PATIENCE_SECONDS * 1_000,
      runtimePatienceMs: settings.RUNTIME_PATIENCE_SECONDS * 1_000,
      maxEventBytes: settings.MAX_EVENT_BYTES,
      maxStreamBytes: settings.MAX_STREAM_BYTES,
      maxOutputBytes: settings.MAX_OUTPUT_BYTES,
      maxToolTextBytes: settings.MAX_TOOL_TEXT_BYTES,
      maxCitations: settings.MAX_CITATIONS,
      flushMs: settings.FLUSH_MS,
      flushBytes: settings.FLUSH_BYTES,
    },
    globals: settings.RUNTIME_GLOBALS,
    sessionSecret: settings.SESSION_SECRET,
  };
}
