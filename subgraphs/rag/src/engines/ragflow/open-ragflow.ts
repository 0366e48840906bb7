import { ConfigError } from '@agentstore/kernel/config';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { KnowledgeEngine } from '../engine.ts';
import { createRagflowCalls } from './ragflow.http.ts';
import { createRagflowClient } from './ragflow-client.ts';
import { createRagflowEngine } from './ragflow-engine.ts';
import type { RagflowSettings } from './ragflow-settings.ts';

/** The engine on Ragflow as it is configured; undefined when no `RAGFLOW_URL` is. Throws ConfigError when its key is missing. */
export function openRagflow(
  settings: RagflowSettings,
  deps: {
    /** With the schema `rag` as its search path. */
    readonly database: Database;
    /** Largest file. */
    readonly fileBytes: number;
    readonly log: Log;
  },
): { readonly engine: KnowledgeEngine; close(): Promise<void> } | undefined {
  const { RAGFLOW_URL: url, RAGFLOW_API_KEY: apiKey } = settings;
  if (url === undefined) return undefined;
  if (apiKey === undefined) throw new ConfigError('RAGFLOW_API_KEY is needed where RAGFLOW_URL is set.');
  const calls = createRagflowCalls({
    url,
    apiKey,
    deadlineMs: settings.RAGFLOW_DEADLINE_MS,
    mostAnswerBytes: settings.RAGFLOW_MOST_ANSWER_BYTES,
  });
  const client = createRagflowClient(calls, {
    uploadMs: settings.RAGFLOW_UPLOAD_SECONDS * 1_000,
    candidates: settings.RAGFLOW_CANDIDATES,
  });
  const bounds = {
    pollMs: settings.RAGFLOW_POLL_MS,
    mostPollMs: settings.RAGFLOW_MOST_POLL_MS,
    parseMs: settings.RAGFLOW_PARSE_SECONDS * 1_000,
    fileBytes: deps.fileBytes,
  };
  return {
    engine: createRagflowEngine({ database: deps.database, client, bounds, log: deps.log }),
    close: () => client.close(),
  };
}
