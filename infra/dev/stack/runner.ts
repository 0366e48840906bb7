import type { App } from '@agentstore/kernel/app';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { createApp } from '@agentstore/runner/app';
import { config } from '@agentstore/runner/config';
import { connect } from '@agentstore/runner/connect';
import type { DevSecrets } from '../state/secrets.ts';
import type { Doubles } from './doubles.ts';

/** A runner as its own `main.ts` makes it, with the settings of a laptop; the services it calls are in this process. */
export function mountRunner(options: {
  runs: ServiceClient;
  billing: ServiceClient;
  authenticate: Authenticator;
  doubles: Pick<Doubles, 'identity' | 'objects' | 'runtime'>;
  secrets: DevSecrets;
  log: Log;
}): App {
  const { runs, billing, authenticate, secrets, log } = options;
  const { identity, objects, runtime } = options.doubles;
  const settings = config.read({
    PORT: '0',
    OIDC_ISSUER: identity.issuer,
    OIDC_CLIENT_ID: 'runner',
    OIDC_CLIENT_SECRET: identity.serviceSecrets['runner'],
    INTERNAL_JWKS: JSON.stringify(secrets.internalJwks),
    RUNS_URL: 'http://runs.internal',
    BILLING_URL: 'http://billing.internal',
    RUNNER_URL: 'http://runner.internal',
    S3_URL: `http://${objects.endPoint}:${objects.port}`,
    S3_ACCESS_KEY: secrets.objects.accessKey,
    S3_SECRET_KEY: secrets.objects.secretKey,
    RUNTIME_URL: runtime.url,
    RUNTIME_API_KEY: secrets.runtimeKey,
    RUNTIME_FLAVOUR: runtime.flavour,
    RUNTIME_GLOBALS: '{"OPENAI_API_KEY":"development"}',
    SESSION_SECRET: secrets.sessionSecret,
    RUNNER_ID: `development-${process.pid}`,
    RUNNER_CONCURRENCY: '16',
    SHUTDOWN_SECONDS: '8',
  });
  return createApp(connect(settings, { log, authenticate, runs, billing }));
}
