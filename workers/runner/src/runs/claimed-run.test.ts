import { expect, it } from 'vitest';
import { globalsOf, type ClaimedRun } from './claimed-run.ts';

const run = (more: Partial<ClaimedRun>): ClaimedRun => ({
  runId: 'r',
  organizationId: 'o',
  instanceId: 'i',
  conversationId: 'c',
  fence: 1,
  input: 'hello',
  history: [],
  artifact: { bucket: 'b', key: 'k', sha256: 's', sizeBytes: 1 },
  effectiveConfig: { TONE: 'formal', MODEL_KEY: 'theirs', RUNTOKEN: 'theirs', lower: 'x', LIMIT: 3 },
  runToken: 'signed',
  remainingMs: 1_000,
  lastSeq: 0,
  cancelRequested: false,
  takenOver: false,
  checkpoint: null,
  billed: null,
  ...more,
});

it("gives a flow its configuration, the runner's own variables over it, and its token over everything", () => {
  expect(globalsOf(run({}), { MODEL_KEY: 'ours', RUNTOKEN: 'ours' })).toEqual({
    TONE: 'formal',
    LIMIT: '3',
    MODEL_KEY: 'ours',
    CONVERSATION_HISTORY: '[]',
    RUNTOKEN: 'signed',
  });
});

it('lets nobody name a token where the run has none', () => {
  expect(globalsOf(run({ runToken: null }), {})['RUNTOKEN']).toBe('');
});
