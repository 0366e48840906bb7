import type { Answer, ToolStep } from './chat-state.ts';
import { failureOf } from './failure.ts';
import type { Detail, PastRun, Run, RunEvent } from './run-event.ts';

/** What is known of one run: the same whatever was cut, sent twice or sent again on the way. */
export interface Transcript {
  readonly lastSeq: number;
  readonly isEnded: boolean;
  /** Of the text that came last. */
  readonly messageId: string | null;
  /** By chunk, in the order of their numbers. */
  readonly chunkIds: readonly string[];
  readonly answer: Answer;
}

export const beginTranscript = (runId: string): Transcript => ({
  lastSeq: 0,
  isEnded: false,
  messageId: null,
  chunkIds: [],
  answer: {
    role: 'agent',
    key: runId,
    runId,
    text: '',
    state: 'waiting',
    failure: null,
    citations: [],
    steps: [],
    rating: null,
  },
});

/** After one event; the same object where it was known. */
export function applyEvent(transcript: Transcript, event: RunEvent): Transcript {
  if (event.seq <= transcript.lastSeq || transcript.isEnded) return transcript;
  const next = { ...transcript, lastSeq: event.seq };
  const { answer } = next;
  switch (event.__typename) {
    case 'TextMessageContent': {
      const isNext = answer.text !== '' && event.messageId !== next.messageId;
      const text = answer.text + (isNext ? '\n\n' : '') + event.delta;
      const state = answer.state === 'waiting' ? 'streaming' : answer.state;
      return { ...next, messageId: event.messageId, answer: { ...answer, text, state } };
    }
    case 'RunFinished':
      // The output is right where a flow changed its mind after streaming.
      return end(next, { state: 'done', text: event.output ?? answer.text, failure: null });
    case 'RunFailed':
      return end(next, { state: 'failed', failure: failureOf(event.error.code) });
    case 'RunCancelled':
      return end(next, { state: 'stopped' });
    case 'ToolCallStart':
    case 'ToolCallArgs':
    case 'ToolCallResult':
    case 'CitationAdded':
      return applyDetail(next, event);
    case 'RunEventsGap':
    case 'RunStarted':
  }
  return next; // kinds that nobody knows yet count as seen
}

const end = (transcript: Transcript, last: Partial<Answer>): Transcript => ({
  ...transcript,
  isEnded: true,
  answer: { ...transcript.answer, ...last },
});

/** A tool step or a citation. */
function applyDetail(transcript: Transcript, detail: Detail): Transcript {
  const { answer, chunkIds } = transcript;
  const change = (part: Partial<Answer>) => ({ ...transcript, answer: { ...answer, ...part } });
  const changeStep = (id: string, how: (step: ToolStep) => Partial<ToolStep>) =>
    change({ steps: answer.steps.map((step) => (step.id === id ? { ...step, ...how(step) } : step)) });
  switch (detail.__typename) {
    case 'ToolCallStart':
      return change({
        steps: [
          ...answer.steps,
          { id: detail.toolCallId, name: detail.toolName, arguments: '', result: null },
        ],
      });
    case 'ToolCallArgs':
      return changeStep(detail.toolCallId, (step) => ({ arguments: step.arguments + detail.delta }));
    case 'ToolCallResult':
      return changeStep(detail.toolCallId, () => ({
        result: { content: detail.content, isError: detail.isError },
      }));
    case 'CitationAdded': {
      const { chunkId, documentId, documentName, text, page } = detail.citation;
      if (chunkIds.includes(chunkId)) return transcript;
      const citation = { number: chunkIds.length + 1, documentId, documentName, text, page };
      return { ...change({ citations: [...answer.citations, citation] }), chunkIds: [...chunkIds, chunkId] };
    }
  }
}

/** What the run itself says, where its events are gone or were not asked for. */
export function applyRun(transcript: Transcript, run: Run): Transcript {
  const next = { ...transcript, answer: { ...transcript.answer, rating: run.rating } };
  switch (run.state) {
    case 'SUCCEEDED':
      return end(
        { ...next, lastSeq: run.lastSeq },
        { state: 'done', text: run.output ?? next.answer.text, failure: null },
      );
    case 'FAILED':
      return end({ ...next, lastSeq: run.lastSeq }, { state: 'failed', failure: failureOf(run.error?.code) });
    case 'CANCELLED':
      return end({ ...next, lastSeq: run.lastSeq }, { state: 'stopped' });
    case 'CANCELLING':
      return { ...next, answer: { ...next.answer, state: 'stopping' } };
    case 'QUEUED':
    case 'RUNNING':
      return next;
  }
}

const underWay: readonly string[] = ['QUEUED', 'RUNNING', 'CANCELLING'];

/** Of a run of a history, from its details alone; one under way is told from its first event when it is followed. */
export const transcriptOf = (run: PastRun): Transcript =>
  applyRun(
    (underWay.includes(run.state) ? [] : run.events).reduce<Transcript>(
      (transcript, event) => (event.__typename ? applyDetail(transcript, event) : transcript),
      beginTranscript(run.id),
    ),
    run,
  );
