import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { describeEngine } from '../conformance.ts';
import { createEmbeddedEngine } from './embedded-engine.ts';

const bounds = {
  limits: { fileBytes: 1 << 20, pages: 100, textChars: 1 << 20, unpackedBytes: 1 << 24 },
  extraction: { deadlineMs: 20_000, memoryMb: 256 },
  search: { candidates: 256, wholeBaseVectors: 10_000, embedMs: 1_000 },
};

describeEngine('the embedded engine with words alone', async () => {
  const { database } = await openTestDatabase('rag');
  return createEmbeddedEngine({ database, embedder: undefined, ...bounds, log: silentLog });
});
