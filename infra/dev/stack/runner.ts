import type { Client } from 'minio';
import type { App } from '@agentstore/kernel/app';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { createApp } from '@agentstore/runner/app';
import { createArtifactCache } from '@agentstore/runner/artifacts/artifact-cache';
import { createRuntime } from '@agentstore/runner/langflow/runtime-client';
import { createBillingClient } from '@agentstore/runner/runs/billing-client';
import { createRunsClient } from '@agentstore/runner/runs/runs-client';
import type { DevSecrets } from '../state/secrets.ts';
import type { Doubles } from './doubles.ts';

/** A runner with the settings of a laptop. */
export function mountRunner(options: {
  runs: ServiceClient;
  billing: ServiceClient;
  authenticate: Authenticator;
  objects: Client;
  runtime: Doubles['runtime'];
  secrets: DevSecrets;
  log: Log;
}): App {
  return createApp({
    log: options.log,
    authenticate: options.authenticate,
    runs: createRunsClient(options.runs),
    billing: createBillingClient(options.billing, options.log),
    runtime: createRuntime({
      url: options.runtime.url,
      apiKey: options.secrets.runtimeKey,
      flavour: options.runtime.flavour,
      connectMs: 2_000,
      firstEventMs: 30_000,
    }),
    artifacts: {
      objects: options.objects,
      cache: createArtifactCache(64 * 1_048_576),
      maxBytes: 4 * 1_048_576,
    },
    runnerId: `development-${process.pid}`,
    concurrency: 16,
    leaseMs: 10_000,
    heartbeatMs: 3_000,
    stopGraceMs: 3_000,
    limits: {
      firstEventMs: 30_000,
      idleMs: 60_000,
      runtimePatienceMs: 30_000,
      maxEventBytes: 262_144,
      maxStreamBytes: 10_485_760,
      maxOutputCharacters: 200_000,
      flushMs: 15,
      flushBytes: 4_096,
    },
    globals: { OPENAI_API_KEY: 'development' },
    sessionSecret: options.secrets.sessionSecret,
  });
}
