import { z } from 'zod';

/** A tool's name at the gateway: the connector's slug and the tool's own name, which no other connector's can equal. */
export const toolIdOf = (connectorSlug: string, toolName: string): string => `${connectorSlug}__${toolName}`;

export const connectorKinds = ['REST', 'MCP', 'RAG'] as const;
export const toolRisks = ['READ', 'WRITE', 'DESTRUCTIVE'] as const;

/** Slug of a connector: no underscore, so that `slug__tool` is one tool's name only. */
export const connectorSlug = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const toolName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/);
const secretField = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/);
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
const schema = z.record(z.string(), z.unknown());

/** An exact origin (RFC 6454): scheme, host, port; no path, no credentials, nothing to fill in. */
export const exactOrigin = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url !== undefined &&
    ['https:', 'http:'].includes(url.protocol) &&
    url.origin === text &&
    !/[{}]/.test(text)
  );
}, 'an exact origin, e.g. https://api.example.com');

/** How the secret goes to the upstream. Never in a URL: those are logged. */
const auth = z.discriminatedUnion('type', [
  z.object({ type: z.literal('NONE') }),
  z.object({ type: z.literal('BEARER'), field: secretField }),
  z.object({
    type: z.literal('HEADER'),
    name: headerName,
    field: secretField,
    prefix: z.string().max(32).default(''),
  }),
  z.object({ type: z.literal('BASIC'), usernameField: secretField, passwordField: secretField }),
]);

/** How a REST tool becomes a request: `path` holds `{name}` placeholders; a parameter goes where `in` says; `body` takes all other arguments as JSON. */
const restOperation = z.object({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/)
    .max(500),
  parameters: z
    .array(z.object({ name: z.string().max(100), in: z.enum(['path', 'query', 'header']) }))
    .max(64),
  body: z.boolean(),
});

const tool = z.object({
  name: toolName,
  title: z.string().max(200),
  description: z.string().max(4_000),
  /** JSON Schema 2020-12 of the arguments, an object. */
  inputSchema: schema,
  outputSchema: schema.optional(),
  risk: z.enum(toolRisks),
  /** REST connectors only. */
  rest: restOperation.optional(),
});

/**
 * What a connector is, as the control plane registered it and the tool gateway executes it. It is addressed by the sha256 of its canonical JSON
 * (`hashOf`), which a ConnectorPolicy pins: a changed definition is another one until a policy names it.
 */
export const connectorDefinition = z.object({
  kind: z.enum(connectorKinds),
  slug: connectorSlug,
  name: z.string().min(1).max(200),
  /** The one origin that is ever called; absent for RAG. */
  origin: exactOrigin.optional(),
  /** REST: prefix of every path, under which a request stays. MCP: the endpoint's path. */
  path: z
    .string()
    .regex(/^\/[^?#\s{}]*$/)
    .max(500)
    .default('/'),
  auth,
  tools: z.array(tool).min(1).max(128),
  timeoutMs: z.int().min(100).max(120_000).default(15_000),
  maxResponseBytes: z.int().min(1_024).max(16_777_216).default(1_048_576),
});
export type ConnectorDefinition = z.output<typeof connectorDefinition>;
export type ConnectorTool = ConnectorDefinition['tools'][number];

/** Names of the secret's fields that binding this connector needs. */
export function secretFieldsOf({ auth: how }: Pick<ConnectorDefinition, 'auth'>): string[] {
  switch (how.type) {
    case 'NONE':
      return [];
    case 'BEARER':
    case 'HEADER':
      return [how.field];
    case 'BASIC':
      return [how.usernameField, how.passwordField];
  }
}
