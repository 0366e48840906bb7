import { z } from 'zod';
import { defineConfig, shared } from '@agentstore/kernel/config';

const whole = z.coerce.number().int();

/** A comma list, each part trimmed; the empty text is the empty list. */
const listOf = (part: z.ZodType<string>) =>
  z
    .string()
    .default('')
    .transform((text, context) => {
      const parts = text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '');
      const wrong = parts.find((one) => !part.safeParse(one).success);
      if (wrong === undefined) return parts;
      context.addIssue('a comma list, one of whose parts is wrong');
      return z.NEVER;
    });

const origin = z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text);

export const config = defineConfig('tools', {
  ...shared.database,
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  ...shared.vault,
  ...shared.telemetry,
  CONTROL_PLANE_URL: z.url().describe('Origin of the control-plane subgraph'),
  RAG_URL: z.url().describe('Origin of the knowledge subgraph, which searches for tools of kind RAG'),
  GITOPS_URL: z.url().describe('Origin of the gitops worker, whose watch brings the applied policies'),
  TOOLS_ORIGIN: origin.describe(
    'Origin under which flows reach the gateway: the audience of run tokens, e.g. https://tools.example.com',
  ),
  TOOLS_ALLOWED_HOSTS: listOf(z.string().regex(/^[a-z0-9.[\]:-]+$/i)).describe(
    "Hosts (with port) besides the public origin's that a request may name, as a comma list",
  ),
  RUN_TOKEN_JWKS: z
    .string()
    .describe('Public JWKS (JSON) of the key with which the runs subgraph signs run tokens'),
  TOOLS_MAX_BODY_BYTES: whole.min(1_024).default(1_048_576).describe('Largest body of a request'),
  TOOLS_MAX_ARGUMENT_BYTES: whole
    .min(256)
    .max(1_048_576)
    .default(65_536)
    .describe('Largest arguments of one call, in bytes as JSON'),
  TOOLS_MAX_CALLS: whole.min(1).default(1_000).describe('Calls under way at once in this process'),
  TOOLS_MAX_CALLS_PER_RUN: whole
    .min(1)
    .default(16)
    .describe('Calls of one run under way at once in this process'),
  TOOLS_MOST_CALLS_OF_RUN: whole
    .min(1)
    .default(200)
    .describe('Calls that one run may make in all, in this process'),
  IDEMPOTENCY_HOURS: whole
    .min(1)
    .max(720)
    .default(24)
    .describe('Hours that the result of a keyed call is kept'),
  SECRET_CACHE_SECONDS: whole
    .min(0)
    .max(60)
    .default(60)
    .describe('Longest that a secret is kept in memory after it was read; 0 keeps none'),
  SECRET_CACHE_ENTRIES: whole.min(1).default(1_000).describe('Most secrets kept in memory'),
  DEFINITION_CACHE_ENTRIES: whole
    .min(1)
    .default(500)
    .describe('Most connector definitions, and most upstream MCP servers by credential, that are remembered'),
  EGRESS_PORTS: listOf(z.string().regex(/^\d{1,5}$/))
    .transform((ports) => (ports.length ? ports.map(Number) : [443]))
    .describe('Ports that connectors may call, as a comma list; 443 when none is named'),
  EGRESS_PRIVATE_ORIGINS: listOf(origin).describe(
    'Exact origins that may be called although they are private or plain HTTP, as a comma list; for development',
  ),
  EGRESS_MAX_ORIGINS: whole.min(1).default(200).describe('Origins to which connections are kept at once'),
  EGRESS_CONNECTIONS_PER_ORIGIN: whole
    .min(1)
    .default(128)
    .describe('Connections to one origin at once; further calls wait for one'),
  EGRESS_CONNECT_MS: whole.min(10).default(3_000).describe('Longest connect to an upstream, in milliseconds'),
  AUDIT_DEADLINE_MS: whole
    .min(10)
    .max(30_000)
    .default(2_000)
    .describe('Milliseconds that one append to the audit log has; without it nothing is called'),
  AUDIT_MOST_WAITING: whole.min(1).default(5_000).describe('Audit records that wait to be written at most'),
});
