import type { Uuid } from '@agentstore/kernel/ids';

/** AG-UI's vocabulary, as far as the store uses it; the names are the GraphQL types. */
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
  'RunFinished',
  'RunFailed',
  'RunCancelled',
  'RunEventsGap',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** After one of these a run says nothing more. */
export const terminalKinds: ReadonlySet<string> = new Set<EventKind>([
  'RunFinished',
  'RunFailed',
  'RunCancelled',
]);

/** One event of a run; `seq` is 1, 2, 3 … without holes. */
export interface RunEvent {
  readonly runId: Uuid;
  readonly seq: number;
  readonly kind: string;
  readonly at: Date;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What stands for events that are no longer kept: never a silent hole. */
export const gap = (runId: Uuid, fromSeq: number, toSeq: number): RunEvent => ({
  runId,
  seq: toSeq,
  kind: 'RunEventsGap',
  at: new Date(),
  payload: { fromSeq, toSeq, reason: 'EXPIRED' },
});
