import type { App } from '@agentstore/kernel/app';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { createVaultReader } from '@agentstore/kernel/vault/vault-secrets';
import { createApp } from '@agentstore/tools/app';
import { config } from '@agentstore/tools/config';
import { connect } from '@agentstore/tools/connect';
import type { DevSecrets } from '../state/secrets.ts';
import type { Doubles } from './doubles.ts';

/** A tool gateway as its own `main.ts` makes it, which may call upstreams on loopback; the services it calls are in this process. */
export async function mountTools(options: {
  /** Where flows reach it. */
  origin: string;
  db: Database;
  controlPlane: ServiceClient;
  gitops: ServiceClient;
  knowledge: ServiceClient;
  runner: ServiceClient;
  serviceToken: () => Promise<string>;
  authenticate: Authenticator;
  privateOrigins: readonly string[];
  doubles: Pick<Doubles, 'identity' | 'databaseUrl' | 'vault'>;
  secrets: DevSecrets;
  log: Log;
}): Promise<App> {
  const { origin, runner, secrets, doubles, ...services } = options;
  const { identity, vault } = doubles;
  const settings = config.read({
    PORT: new URL(origin).port,
    DATABASE_URL: doubles.databaseUrl,
    OIDC_ISSUER: identity.issuer,
    OIDC_CLIENT_ID: 'tools',
    OIDC_CLIENT_SECRET: identity.serviceSecrets['tools'],
    INTERNAL_JWKS: JSON.stringify(secrets.internalJwks),
    RUN_TOKEN_JWKS: JSON.stringify(secrets.runTokens.jwks),
    CONTROL_PLANE_URL: 'http://control-plane.internal',
    GITOPS_URL: 'http://gitops.internal',
    RAG_URL: 'http://rag.internal',
    TOOLS_ORIGIN: origin,
    EGRESS_PRIVATE_ORIGINS: options.privateOrigins.join(),
    VAULT_ORIGIN: vault.url,
    VAULT_KEY: JSON.stringify(secrets.vault.toolsLogin),
  });
  const reader = await createVaultReader({
    origin: settings.VAULT_ORIGIN,
    key: secrets.vault.toolsLogin,
    deadlineMs: settings.VAULT_DEADLINE_MS,
  });
  const app = createApp(connect(settings, { ...services, ownerAt: () => runner, secrets: reader }));
  return {
    ...app,
    async stop() {
      await app.stop();
      await reader.close();
    },
  };
}
