import { describe, expect, it } from 'vitest';
import { runErrors, type RunError } from '../langflow/classify-error.ts';
import type { RunUsage } from '../langflow/usage.ts';
import { billedUsage } from './billed-usage.ts';
import type { Ending } from './runs-client.ts';

const usageOf = (inputTokens: number, models = 1): RunUsage => ({
  status: 'REPORTED',
  models: Array.from({ length: models }, () => ({
    provider: 'p',
    model: null,
    inputTokens,
    outputTokens: null,
    totalTokens: null,
  })),
  toolCalls: 2,
  durationMs: 1_001,
});
const billed = (state: Ending['state'], error: RunError | null, begun = true) =>
  billedUsage({ state, error }, begun, usageOf(7))
    .map(({ dimension, quantity }) => `${dimension} ${quantity}`)
    .join(', ');

describe('what is paid for', () => {
  const whole = 'run 1, input_token 7, tool_call 2, second 2';
  it.each([
    ['SUCCEEDED', null, true, whole],
    ['CANCELLED', null, true, whole],
    ['CANCELLED', null, false, 'input_token 7'],
    ['FAILED', runErrors.deadline, true, 'input_token 7'],
    ['FAILED', runErrors.exhausted, true, whole],
    ['FAILED', runErrors.maxCharge, true, whole],
  ] as const)('by a run that is %s with %o (begun: %s)', (state, error, begun, expected) => {
    expect(billed(state, error, begun)).toBe(expected);
  });

  it('is a count that billing takes, however much a runtime claims', () => {
    const [, tokens] = billedUsage(
      { state: 'SUCCEEDED', error: null },
      true,
      usageOf(Number.MAX_SAFE_INTEGER, 200_000),
    );
    expect(tokens).toEqual({ dimension: 'input_token', quantity: '9007199254740991' });
  });
});
