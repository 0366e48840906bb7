import { z } from 'zod';
import { mostWidgetTokenSeconds } from '@agentstore/kernel/auth/widget-token';
import { defineConfig, shared } from '@agentstore/kernel/config';

export const config = defineConfig('router', {
  ...shared.server,
  ...shared.service,
  PUBLIC_ORIGIN: z.url().describe('Origin under which clients reach the router'),
  SUPERGRAPH_FILE: z.string().describe('Composed supergraph; read at start and again when it changes'),
  OIDC_ISSUER: z.url().describe('Issuer of user tokens'),
  OIDC_AUDIENCE: z.string().describe('Audience that user tokens must carry'),
  SERVICE_AUDIENCE: z.string().default('agentstore:internal').describe('Audience of service tokens'),
  INTERNAL_PRIVATE_JWK: z.string().describe('Ed25519 key (JWK, JSON) with which internal tokens are signed'),
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  RUNS_URL: z.url().describe('Origin of the runs subgraph'),
  RAG_URL: z.url().describe('Origin of the knowledge subgraph'),
  GITOPS_URL: z.url().describe('Origin of the gitops worker, for applied routes'),
  SALEOR_API_URL: z.url().describe('GraphQL URL of Saleor'),
  STAFF_EMAILS: z
    .string()
    .regex(/^none$|@/, 'addresses, domains, or none')
    .transform((text) =>
      text
        .split(',')
        .map((email) => email.trim().toLowerCase())
        .filter((email) => email && email !== 'none'),
    )
    .describe(
      "Comma list of e-mails of Saleor staff (@domain for a whole domain), or `none`: Saleor's plugin is told nothing about them, whom it would demote",
    ),
  GRAPHIQL_DIR: z
    .string()
    .optional()
    .describe('Folder of the built GraphiQL (npm run build); none is served without it'),
  GRAPHIQL_CLIENT_ID: z
    .string()
    .default('agentstore-web')
    .describe(
      'Public OpenID Connect client that GraphiQL signs in as; its redirect URI is /graphiql/callback',
    ),
  INTROSPECTION: z
    .enum(['everybody', 'signed-in'])
    .default('signed-in')
    .describe('Who may introspect the schema'),
  MAX_BODY_BYTES: z.coerce.number().int().default(262_144).describe('Largest request body'),
  MAX_DEPTH: z.coerce.number().int().default(16).describe('Deepest selection of an operation'),
  MAX_TOKENS: z.coerce.number().int().default(3_000).describe('Most lexical tokens of a document'),
  MAX_ALIASES: z.coerce.number().int().default(50).describe('Most aliases of a document'),
  MAX_ROOT_FIELDS: z.coerce.number().int().default(20).describe('Most root fields of an operation'),
  SUBGRAPH_DEADLINE_MS: z.coerce
    .number()
    .int()
    .default(15_000)
    .describe('Longest wait for one answer of a subgraph'),
  STREAM_RECHECK_MS: z.coerce
    .number()
    .int()
    .max(25_000)
    .default(25_000)
    .describe("How often it is asked whether a stream's credential still holds; an API key ends within 30 s"),
  STREAM_SILENCE_MS: z.coerce
    .number()
    .int()
    .min(15_000)
    .default(45_000)
    .describe(
      'How long a subgraph may say nothing on a stream before it is taken for lost; each says a comment every 12 s',
    ),
  TRUSTED_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      "How many proxies stand before the router and add to X-Forwarded-For; 0: a client's address is its connection's",
    ),
  WIDGET_DIR: z
    .string()
    .optional()
    .describe('Folder of the built widget (npm run build); none is served without it'),
  WIDGET_DEMO_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Page on another origin that shows the widget; /widget/demo leads there'),
  WIDGET_TOKEN_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .max(mostWidgetTokenSeconds)
    .default(600)
    .describe('How long a token of a widget is good; its session goes on with the next one'),
  WIDGET_INITS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .default(120)
    .describe('How often one address (IPv6: one /64) may ask for a session of a widget, or end one'),
  WIDGET_KEY_INITS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .default(3_000)
    .describe('How often pages of one widget may ask for a session'),
  WIDGET_VISITOR_INITS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .default(30)
    .describe('How often one visitor may ask for their session again'),
  WIDGET_INPUT_CHARACTERS: z.coerce
    .number()
    .int()
    .min(1)
    .default(32_000)
    .describe('Longest message that widgets send; as MAX_INPUT_CHARACTERS of the runs subgraph'),
  WIDGET_ATTACHMENT_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(65_536)
    .describe('Largest text file that widgets attach to a message'),
});

/**
 * @apollo/gateway reports to its maker and asks cloud metadata addresses when it is constructed, unless this variable says no. Called before
 * each construction; nothing else in the store may depend on the environment.
 */
export function turnOffGatewayTelemetry(): void {
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
}
