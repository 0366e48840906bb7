import { z } from 'zod';
import { ConfigError, defineConfig, shared } from '@agentstore/kernel/config';
import { originSchema } from '@agentstore/kernel/http/origin';

const whole = z.coerce.number().int();

const variables = defineConfig('runner', {
  ...shared.server,
  ...shared.trust,
  ...shared.service,
  RUNS_URL: z.url().describe('Origin of the runs subgraph'),
  BILLING_URL: z.url().describe('Origin of the billing subgraph'),
  S3_URL: z.url().describe('Origin of the object store, e.g. http://127.0.0.1:9000'),
  S3_REGION: z.string().default('us-east-1').describe('Region of the object store'),
  S3_ACCESS_KEY: z.string().describe('Access key that may read artifacts'),
  S3_SECRET_KEY: z.string().describe('Secret of that key'),
  RUNTIME_URL: z.url().describe('Origin of the flow runtime'),
  RUNTIME_API_KEY: z.string().describe("The flow runtime's x-api-key"),
  RUNTIME_FLAVOUR: z
    .enum(['lfx', 'langflow'])
    .default('lfx')
    .describe('What the flow runtime is: `lfx serve` or the Langflow backend'),
  RUNTIME_GLOBALS: z
    .string()
    .default('{}')
    .transform((text, context) => {
      try {
        return z.record(z.string(), z.string()).parse(JSON.parse(text));
      } catch {
        context.addIssue('must be a JSON object of strings');
        return z.NEVER;
      }
    })
    .describe('Variables for every flow as a JSON object of strings, e.g. {"OPENAI_API_KEY":"…"}'),
  SESSION_SECRET: z.string().min(32).describe("Key with which conversations' session ids are made"),
  RUNNER_ID: z.string().optional().describe('Name of this runner in leases; one is made unless set'),
  RUNNER_URL: originSchema.describe(
    'Origin at which the tool gateway reaches this very runner, to tell it of the tool calls of its runs',
  ),
  RUNNER_CONCURRENCY: whole.min(1).max(1_000).default(8).describe('Runs that are executed at the same time'),
  LEASE_SECONDS: z.coerce
    .number()
    .min(1)
    .max(20)
    .default(10)
    .describe('How long a run stays ours without a heartbeat'),
  HEARTBEAT_SECONDS: z.coerce
    .number()
    .min(0.3)
    .default(3)
    .describe('How often leases and reservations are renewed; a third of the lease at most'),
  CONNECT_SECONDS: z.coerce.number().min(0.1).default(2).describe('Longest connect to the flow runtime'),
  FIRST_EVENT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .default(30)
    .describe("Longest wait for a flow's first event"),
  IDLE_SECONDS: z.coerce
    .number()
    .min(0.1)
    .default(60)
    .describe("Longest silence between two of a flow's events"),
  RUNTIME_PATIENCE_SECONDS: z.coerce
    .number()
    .min(0)
    .default(30)
    .describe('How long a flow runtime that is away is asked again before a run fails'),
  END_PATIENCE_SECONDS: z.coerce
    .number()
    .min(0.1)
    .default(60)
    .describe('How long after its deadline a run that cannot be stored or settled is held'),
  MAX_EVENT_BYTES: whole.min(1_024).default(262_144).describe('Largest event of a flow'),
  MAX_STREAM_BYTES: whole
    .min(1_024)
    .default(10_485_760)
    .describe('Most that a flow may send, and most that the events of its tool calls may hold'),
  MAX_OUTPUT_BYTES: whole
    .min(1)
    .max(900_000)
    .default(600_000)
    .describe('Longest text of a run, in bytes as JSON; the runs subgraph takes 1 MiB at a time'),
  MAX_TOOL_TEXT_BYTES: whole
    .min(1_024)
    .max(131_072)
    .default(32_768)
    .describe('Longest arguments, and longest result, of a tool call in run events; longer ones are cut'),
  MAX_CITATIONS: whole
    .min(0)
    .default(200)
    .describe('Most passages of documents that the messages of a run may cite'),
  MAX_ARTIFACT_BYTES: whole.min(1_024).default(4_194_304).describe('Largest flow artifact'),
  ARTIFACT_CACHE_BYTES: whole.min(0).default(67_108_864).describe('Verified artifacts kept in memory'),
  FLUSH_MS: whole
    .min(1)
    .max(1_000)
    .default(15)
    .describe('Longest that an event waits to be stored with others'),
  FLUSH_BYTES: whole.min(1).default(4_096).describe('Waiting text that is stored at once'),
});

export const config: typeof variables = {
  ...variables,
  read(environment) {
    const settings = variables.read(environment);
    if (settings.HEARTBEAT_SECONDS > settings.LEASE_SECONDS / 3)
      throw new ConfigError(
        'The configuration of runner is not usable:\n  HEARTBEAT_SECONDS: must be a third of LEASE_SECONDS at most, so that a lost one costs no run.',
      );
    return settings;
  },
};
