import type { Uuid } from '@agentstore/kernel/ids';
import type { Run } from '../runs/run.ts';

/** AG-UI's vocabulary, as far as the store uses it; the names are the GraphQL types. RunEventsGap and RunEventWithheld are made when reading, never stored. */
export const eventKinds = [
  'RunStarted',
  'StepStarted',
  'StepFinished',
  'TextMessageStart',
  'TextMessageContent',
  'TextMessageEnd',
  'ToolCallStart',
  'ToolCallArgs',
  'ToolCallEnd',
  'ToolCallResult',
  'CitationAdded',
] as const;

/** After one of these a run says nothing more. */
export const terminalKinds = ['RunFinished', 'RunFailed', 'RunCancelled'] as const;
export type EventKind =
  (typeof eventKinds)[number] | (typeof terminalKinds)[number] | 'RunEventsGap' | 'RunEventWithheld';

export const isTerminal = (kind: string): boolean => (terminalKinds as readonly string[]).includes(kind);

/** One event of a run; `seq` is 1, 2, 3 … without holes. `payload` holds the GraphQL type's other fields, amounts as strings. */
export interface RunEvent {
  readonly runId: Uuid;
  readonly seq: number;
  readonly kind: string;
  readonly at: Date;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What stands for events that are no longer kept: never a silent hole. Its own seq is the last missing one, so that `after` goes on behind it. */
export const gap = (runId: Uuid, fromSeq: number, toSeq: number): RunEvent => ({
  runId,
  seq: toSeq,
  kind: 'RunEventsGap',
  at: new Date(),
  payload: { fromSeq, toSeq, reason: 'EXPIRED' },
});

/** The terminal event of an ended run, made again from its row: the end outlives the log. Undefined while the run has not ended. */
export function terminalEventOf(run: Run): RunEvent | undefined {
  const event = (kind: EventKind, payload: RunEvent['payload']): RunEvent => ({
    runId: run.id,
    seq: run.lastSeq,
    kind,
    at: run.finishedAt ?? run.requestedAt,
    payload,
  });
  const charge = run.charge?.toString() ?? null;
  switch (run.state) {
    case 'SUCCEEDED':
      return event('RunFinished', { output: run.output, usage: run.usage, charge });
    case 'FAILED':
      return event('RunFailed', { error: run.error, charge });
    case 'CANCELLED':
      return event('RunCancelled', { charge });
    case 'QUEUED':
    case 'RUNNING':
    case 'CANCELLING':
      return undefined;
  }
}

/**
 * A run's events after `last`, with what the log no longer has said by a gap. `whole`: the log has no more than these; then a run that has ended is
 * ended here, too, by the event made from its row.
 */
export function* withoutHoles(
  run: Run,
  last: number,
  { events, whole }: { events: readonly RunEvent[]; whole: boolean },
): Generator<RunEvent> {
  for (const event of events) {
    if (event.seq > last + 1) yield gap(run.id, last + 1, event.seq - 1);
    yield event;
    last = event.seq;
  }
  const terminal = whole ? terminalEventOf(run) : undefined;
  if (!terminal || last >= run.lastSeq) return;
  if (last < run.lastSeq - 1) yield gap(run.id, last + 1, run.lastSeq - 1);
  yield terminal;
}
