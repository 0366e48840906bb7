import { describe, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { member } from '../testing/runs-app.ts';
import { eventFor, eventForVisitor } from './for-visitor.ts';
import type { EventKind, RunEvent } from './run-event.ts';

const anyPayload = { toolName: 'find', delta: '{}', content: 'of the shop' };
const event = (kind: string, payload: RunEvent['payload'] = anyPayload): RunEvent => ({
  runId: uuidv7(),
  seq: 7,
  kind,
  at: new Date(),
  payload,
});

const seen: Readonly<Record<EventKind, 'always' | 'with tool steps' | 'never'>> = {
  RunStarted: 'always',
  TextMessageStart: 'always',
  TextMessageContent: 'always',
  TextMessageEnd: 'always',
  CitationAdded: 'always',
  RunFinished: 'always',
  RunFailed: 'always',
  RunCancelled: 'always',
  RunEventsGap: 'always',
  ToolCallStart: 'with tool steps',
  ToolCallArgs: 'with tool steps',
  ToolCallEnd: 'with tool steps',
  ToolCallResult: 'with tool steps',
  StepStarted: 'never',
  StepFinished: 'never',
  RunEventWithheld: 'never',
};

const cases = [...Object.entries(seen), ['AKindOfTomorrow', 'never'] as const].flatMap(([kind, when]) =>
  [true, false].map(
    (showToolSteps) =>
      [kind, showToolSteps, when === 'always' || (when !== 'never' && showToolSteps)] as const,
  ),
);

describe('to a visitor', () => {
  it.each(cases)('%s with showToolSteps %s is told: %s', (kind, showToolSteps, isTold) => {
    const stored = event(kind);
    const { runId, seq, at } = stored;
    expect(eventForVisitor(stored, showToolSteps)).toEqual(
      isTold ? stored : { runId, seq, at, kind: 'RunEventWithheld', payload: {} },
    );
  });

  it.each([
    ['ToolCallStart', { toolCallId: '1', toolName: 'orders__find__order' }, { toolName: 'find__order' }],
    ['ToolCallStart', { toolCallId: '1', toolName: 'find_order' }, {}],
    ['ToolCallArgs', { toolCallId: '1', delta: 'x'.repeat(2_000) }, {}],
    ['ToolCallArgs', { toolCallId: '1', delta: 'x'.repeat(2_001) }, { delta: `${'x'.repeat(2_000)}…` }],
    [
      'ToolCallResult',
      { content: `${'x'.repeat(1_999)}🫖`, isError: true },
      { content: `${'x'.repeat(1_999)}…` },
    ],
  ])('of a %s no more than the widget draws', (kind, payload, change) =>
    expect(eventForVisitor(event(kind, payload), true).payload).toEqual({ ...payload, ...change }),
  );
});

it.each(Object.keys(seen))('a member is told %s as it is', (kind) => {
  const stored = event(kind);
  expect(eventFor(member({ organizationId: uuidv7() }), stored)).toBe(stored);
});
