import { ProblemError } from '@agentstore/kernel/http/problem';
import type { OperationContext } from '../execution/operation-context.ts';
import { eventStreamOf } from '../subscriptions/event-stream-response.ts';
import { leavable } from '../subscriptions/leavable.ts';
import type { Subscriber } from '../subscriptions/subscribe.ts';
import { operations, type RunEvent } from './operations.ts';
import { problemOfError } from './problems.ts';

/** Opens a run's events after a seq, until the terminal one. Throws a ProblemError for a refusal, also in the middle; its reader may leave at any time. */
export async function openRunEvents(
  subscriber: Subscriber,
  context: OperationContext,
  asked: { readonly runId: string; readonly after: number },
): Promise<AsyncGenerator<RunEvent>> {
  const answer = await subscriber.subscribe({
    document: operations.events,
    variables: { runId: asked.runId, after: asked.after },
    context,
  });
  if (!(Symbol.asyncIterator in answer))
    throw problemOfError(
      answer.errors?.[0] ?? { message: 'The stream was refused.', extensions: { code: 'INTERNAL' } },
    );
  const source = answer;
  async function* events(): AsyncGenerator<RunEvent> {
    for await (const { data, errors } of source) {
      if (errors?.[0]) throw problemOfError(errors[0]);
      yield (data as { runEvents: RunEvent }).runEvents;
    }
  }
  return leavable(events(), () => void source.return(undefined));
}

/**
 * Events as a server-sent event stream whose ids are the seqs, so that Last-Event-ID resumes it. Its headers do not wait for the first event; what goes
 * wrong is the last message, `event: error`.
 */
export const streamOf = (runId: string, events: AsyncGenerator<RunEvent>): Response =>
  eventStreamOf(
    events,
    {
      message: (event) => `id: ${event.seq}\nevent: ${event.__typename}\ndata: ${JSON.stringify(event)}\n\n`,
      end: '',
      fault: (error) => {
        const code = error instanceof ProblemError ? error.problem.code : 'INTERNAL';
        return `event: error\ndata: ${JSON.stringify({ code })}\n\n`;
      },
    },
    { location: `/v1/runs/${runId}` },
  );

/** The seq after which a stream goes on: Last-Event-ID, else `after` of the query, else from the beginning. Undefined when it is no seq. */
export function afterOf(request: Request): number | undefined {
  const said = request.headers.get('last-event-id') ?? new URL(request.url).searchParams.get('after') ?? '0';
  return /^\d{1,9}$/.test(said) ? Number(said) : undefined;
}
