import { z } from 'zod';

/** Variables of the engine on Ragflow, to be spread into the process' configuration; it is there when `RAGFLOW_URL` is set. */
export const ragflowSettings = {
  RAGFLOW_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Origin of a Ragflow 0.27, e.g. http://ragflow.internal:9380; without it knowledge bases are embedded',
    ),
  RAGFLOW_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe(
      "API key of an account at Ragflow that is the store's alone: it sees every dataset of the account",
    ),
  RAGFLOW_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(120_000)
    .default(10_000)
    .describe('Milliseconds that Ragflow has for one call, other than an upload'),
  RAGFLOW_UPLOAD_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(300)
    .describe('Seconds that the upload of one document to Ragflow may take'),
  RAGFLOW_PARSE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(1_800)
    .describe(
      'Seconds after which a parse of Ragflow is taken for stuck: it is stopped and made once more, then given up',
    ),
  RAGFLOW_POLL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(2_000)
    .describe('Milliseconds until a parse is looked at for the first time; then the pause doubles'),
  RAGFLOW_MOST_POLL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(300_000)
    .default(30_000)
    .describe('Longest pause between two looks at a parse, in milliseconds'),
  RAGFLOW_CANDIDATES: z.coerce
    .number()
    .int()
    .min(50)
    .max(4_096)
    .default(1_024)
    .describe('Chunks that Ragflow ranks for one search (top_k, which it does not bound itself)'),
  RAGFLOW_MOST_ANSWER_BYTES: z.coerce
    .number()
    .int()
    .min(65_536)
    .max(134_217_728)
    .default(8_388_608)
    .describe("Largest answer of Ragflow's that is read, in bytes"),
};
export type RagflowSettings = z.output<z.ZodObject<typeof ragflowSettings>>;
