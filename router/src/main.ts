import { createRemoteJWKSet, type JWK } from 'jose';
import { internalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import { serviceTokenSource } from '@agentstore/kernel/auth/service-token';
import { widgetTokenSigner } from '@agentstore/kernel/auth/widget-token';
import { discoverIssuer } from '@agentstore/kernel/auth/trust';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { createLog } from '@agentstore/kernel/log';
import { runProcess } from '@agentstore/kernel/run-process';
import { createApp } from './app.ts';
import { config } from './config.ts';

const settings = config.read();
const log = createLog({ name: 'router', level: settings.LOG_LEVEL });
const endpoints = await discoverIssuer(settings.OIDC_ISSUER);
const token = serviceTokenSource({
  tokenUrl: endpoints.tokenUrl,
  clientId: settings.OIDC_CLIENT_ID,
  clientSecret: settings.OIDC_CLIENT_SECRET,
  audience: settings.SERVICE_AUDIENCE,
  scope: ['callers:resolve', 'applied:read', 'widget:session'],
});
const privateJwk = JSON.parse(settings.INTERNAL_PRIVATE_JWK) as JWK;
const { d: _secret, ...publicJwk } = privateJwk;
const app = createApp(
  {
    log,
    publicOrigin: settings.PUBLIC_ORIGIN,
    supergraphFile: settings.SUPERGRAPH_FILE,
    issuer: {
      url: settings.OIDC_ISSUER,
      audience: settings.OIDC_AUDIENCE,
      keys: createRemoteJWKSet(new URL(endpoints.jwksUrl), {
        cooldownDuration: 5_000,
        timeoutDuration: 5_000,
      }),
    },
    signInternal: await internalTokenSigner(privateJwk),
    internalJwks: { keys: [publicJwk] },
    subgraphs: {
      'control-plane': createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL }),
      billing: createServiceClient({ name: 'billing', baseUrl: settings.BILLING_URL }),
      runs: createServiceClient({ name: 'runs', baseUrl: settings.RUNS_URL }),
      rag: createServiceClient({ name: 'rag', baseUrl: settings.RAG_URL }),
    },
    controlPlane: createServiceClient({ name: 'control-plane', baseUrl: settings.CONTROL_PLANE_URL, token }),
    gitops: createServiceClient({ name: 'gitops', baseUrl: settings.GITOPS_URL }),
    saleorApiUrl: settings.SALEOR_API_URL,
    staffEmails: settings.STAFF_EMAILS,
    graphiql: settings.GRAPHIQL_DIR
      ? { dir: settings.GRAPHIQL_DIR, clientId: settings.GRAPHIQL_CLIENT_ID }
      : undefined,
    introspection: settings.INTROSPECTION,
    limits: {
      depth: settings.MAX_DEPTH,
      tokens: settings.MAX_TOKENS,
      aliases: settings.MAX_ALIASES,
      rootFields: settings.MAX_ROOT_FIELDS,
    },
    maxBodyBytes: settings.MAX_BODY_BYTES,
    subgraphDeadlineMs: settings.SUBGRAPH_DEADLINE_MS,
    streams: { recheckMs: settings.STREAM_RECHECK_MS, silenceMs: settings.STREAM_SILENCE_MS },
    widget: {
      signToken: await widgetTokenSigner(privateJwk),
      tokenSeconds: settings.WIDGET_TOKEN_SECONDS,
      initsPerMinute: {
        address: settings.WIDGET_INITS_PER_MINUTE,
        key: settings.WIDGET_KEY_INITS_PER_MINUTE,
        visitor: settings.WIDGET_VISITOR_INITS_PER_MINUTE,
      },
      proxies: settings.TRUSTED_PROXIES,
      limits: {
        inputCharacters: settings.WIDGET_INPUT_CHARACTERS,
        attachmentBytes: settings.WIDGET_ATTACHMENT_BYTES,
      },
      dir: settings.WIDGET_DIR,
      demoUrl: settings.WIDGET_DEMO_URL,
    },
  },
  token,
);
await runProcess({
  app,
  host: settings.HOST,
  port: settings.PORT,
  log,
  shutdownSeconds: settings.SHUTDOWN_SECONDS,
  close: async () => undefined,
  onListening: ({ server }) => app.attachWebSocket(server),
});
