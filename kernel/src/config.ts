import { z } from 'zod';

/** A wrong or missing environment variable; the message names each one, its rule and its description, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One process' variables: a zod schema per variable, each with a description. */
export interface ConfigDefinition<Shape extends z.ZodRawShape> {
  readonly process: string;
  readonly shape: Shape;
  /** Parses the given environment (default: the process'). Throws ConfigError naming every fault at once. */
  read(environment?: Readonly<Record<string, string | undefined>>): z.output<z.ZodObject<Shape>>;
}

/**
 * Declares a process' configuration, one file per process (`config.ts`), the only place where the environment is read.
 * `npm run docs:config` prints the table of all of them.
 */
export function defineConfig<Shape extends z.ZodRawShape>(
  process: string,
  shape: Shape,
): ConfigDefinition<Shape> {
  const schema = z.object(shape);
  return {
    process,
    shape,
    read(environment = globalThis.process.env) {
      const parsed = schema.safeParse(
        Object.fromEntries(Object.keys(shape).map((name) => [name, environment[name] || undefined])),
      );
      if (parsed.success) return parsed.data;
      const lines = parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return `  ${name}: ${issue.message}. ${describe(shape[name])}`;
      });
      throw new ConfigError(
        `The configuration of ${process} is not usable:\n${[...new Set(lines)].join('\n')}`,
      );
    },
  };
}

const describe = (schema: unknown): string => (schema instanceof z.ZodType ? (schema.description ?? '') : '');

/** Variables that every process with a database, a log or service calls shares: spread what applies into `defineConfig`. */
export const shared = {
  database: {
    DATABASE_URL: z
      .url()
      .describe(
        'PostgreSQL as the application role, e.g. postgres://agentstore_app:…@127.0.0.1:5432/agentstore',
      ),
    DATABASE_POOL: z.coerce
      .number()
      .int()
      .min(1)
      .max(200)
      .default(10)
      .describe('Connections of this process to PostgreSQL'),
  },
  server: {
    HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
    PORT: z.coerce.number().int().min(0).max(65535).describe('Port to listen on; 0 takes a free one'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('Least severe line written'),
    SHUTDOWN_SECONDS: z.coerce
      .number()
      .int()
      .min(0)
      .max(600)
      .default(20)
      .describe('Seconds that requests under way get at SIGTERM'),
  },
  trust: {
    OIDC_ISSUER: z
      .url()
      .describe('Issuer of user and service tokens (its discovery document gives the keys)'),
    SERVICE_AUDIENCE: z
      .string()
      .default('agentstore:internal')
      .describe('Audience of service tokens (client credentials)'),
    INTERNAL_JWKS: z
      .string()
      .describe('Public JWKS (JSON) of the key with which the router signs internal tokens'),
  },
  service: {
    OIDC_CLIENT_ID: z.string().describe('Client of this service for client credentials'),
    OIDC_CLIENT_SECRET: z.string().describe('Secret of that client'),
  },
  telemetry: {
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('OpenTelemetry collector (OTLP over HTTP) for spans and metrics; without it nothing is sent'),
  },
  vault: {
    VAULT_ORIGIN: z
      .url({ protocol: /^https?$/ })
      .describe('Origin of Vault, e.g. https://vault.internal:8200'),
    VAULT_KEY: z
      .string()
      .describe(
        'Private ES256 JWK (JSON) with which this process logs in to Vault, for one project at a time',
      ),
    VAULT_DEADLINE_MS: z.coerce
      .number()
      .int()
      .min(100)
      .max(30_000)
      .default(2_000)
      .describe('Milliseconds that Vault has for one read, write or removal, with the login it may need'),
  },
};
