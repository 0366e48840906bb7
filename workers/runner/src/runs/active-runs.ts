import type { Citation } from '@agentstore/kernel/citation';
import type { Citations } from '../langflow/citations.ts';
import type { MappedEvent } from '../langflow/mapped-event.ts';
import type { ToldCall, ToolAnswer, ToolCalls } from '../langflow/tool-calls.ts';

/** Why the tool gateway is refused, so that it makes no call or its result is not wanted. */
export const noticeRefusals = {
  RUN_FENCED: { status: 409, title: 'This runner does not own the run, or not under this fence.' },
  RUN_ENDED: { status: 410, title: 'The run was cancelled or has ended.' },
  TOOL_CALL_NOT_FOUND: { status: 404, title: 'No call of this run has begun under this id.' },
} as const;
export type NoticeRefusal = keyof typeof noticeRefusals;

/** A run under way in this process, as the tool gateway reaches it. */
export interface ActiveRun {
  readonly fence: number;
  /** Stores that a call begins; answers why it must not be made. */
  toolCallBegins(call: ToldCall): Promise<NoticeRefusal | undefined>;
  /** Has the answer of a call stored with what else the run tells; `found` is what the next message rests on. */
  toolCallEnds(id: string, answer: ToolAnswer, found: readonly Citation[]): NoticeRefusal | undefined;
}

/** The runs that this process executes now, by their ids. */
export type ActiveRuns = Map<string, ActiveRun>;

export function activeRun(options: {
  fence: number;
  tools: ToolCalls;
  citations: Citations;
  events: { push(event: MappedEvent): void; flush(): Promise<void> };
  /** Asks the store whether the run goes on, when nothing was to be stored whose answer would tell. */
  ask: () => Promise<void>;
  /** Why nothing more may be called; undefined while the run goes on. */
  standing: () => NoticeRefusal | undefined;
}): ActiveRun {
  const { fence, tools, citations, events, ask, standing } = options;
  return {
    fence,
    async toolCallBegins(call) {
      const refusal = standing();
      if (refusal) return refusal;
      const begun = tools.begin('gateway', call);
      for (const event of begun) events.push(event);
      await events.flush();
      if (begun.length === 0) await ask();
      return standing();
    },
    toolCallEnds(id, answer, found) {
      const refusal = standing();
      if (refusal) return refusal;
      if (!tools.knows('gateway', id)) return 'TOOL_CALL_NOT_FOUND';
      for (const event of tools.end('gateway', id, answer)) events.push(event);
      citations.hold(id, found);
      return undefined;
    },
  };
}
