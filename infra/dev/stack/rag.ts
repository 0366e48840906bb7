import type { App } from '@agentstore/kernel/app';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { createApp } from '@agentstore/rag/app';
import { config } from '@agentstore/rag/config';
import { connect } from '@agentstore/rag/connect';
import type { DevSecrets } from '../state/secrets.ts';
import { knowledgeBucket, type Doubles } from './doubles.ts';

/** The knowledge subgraph as its own `main.ts` makes it, with the engine that needs nothing but PostgreSQL; the service it calls is in this process. */
export function mountRag(options: {
  db: Database;
  controlPlane: ServiceClient;
  authenticate: Authenticator;
  doubles: Pick<Doubles, 'identity' | 'databaseUrl' | 'objects'>;
  secrets: DevSecrets;
  log: Log;
}): App {
  const { doubles, secrets, ...services } = options;
  const { identity, objects } = doubles;
  const settings = config.read({
    PORT: '0',
    DATABASE_URL: doubles.databaseUrl,
    OIDC_ISSUER: identity.issuer,
    OIDC_CLIENT_ID: 'rag',
    OIDC_CLIENT_SECRET: identity.serviceSecrets['rag'],
    INTERNAL_JWKS: JSON.stringify(secrets.internalJwks),
    CONTROL_PLANE_URL: 'http://control-plane.internal',
    S3_URL: objects.url,
    S3_ACCESS_KEY: secrets.objects.accessKey,
    S3_SECRET_KEY: secrets.objects.secretKey,
    KNOWLEDGE_BUCKET: knowledgeBucket,
    LIMITS_SECONDS: '1',
    POLL_SECONDS: '0.5',
  });
  return createApp(connect(settings, { ...services, embeddings: undefined }));
}
