import { ProblemError } from '@agentstore/kernel/http/problem';
import type { OperationContext } from '../execution/operation-context.ts';
import type { Subscriber } from '../subscriptions/subscribe.ts';
import { operations, type RunEvent } from './operations.ts';
import { problemOfError } from './problems.ts';

/** A run's events after a seq, until the terminal one. Throws a ProblemError for a refusal, also in the middle. */
export async function* runEvents(
  subscriber: Subscriber,
  context: OperationContext,
  asked: { readonly runId: string; readonly after: number },
): AsyncGenerator<RunEvent> {
  const source = await subscriber.subscribe({
    document: operations.events,
    variables: { runId: asked.runId, after: asked.after },
    context,
  });
  if (!(Symbol.asyncIterator in source))
    throw problemOfError(
      source.errors?.[0] ?? { message: 'The stream was refused.', extensions: { code: 'INTERNAL' } },
    );
  for await (const { data, errors } of source) {
    if (errors?.[0]) throw problemOfError(errors[0]);
    yield (data as { runEvents: RunEvent }).runEvents;
  }
}

/**
 * Events as a server-sent event stream whose ids are the seqs, so that Last-Event-ID resumes it. A refusal before the first event is a thrown problem,
 * not a broken stream; one in the middle is the last message, `event: error`.
 */
export async function streamOf(runId: string, source: AsyncGenerator<RunEvent>): Promise<Response> {
  let pending: IteratorResult<RunEvent> | undefined = await source.next();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = pending ?? (await source.next());
        pending = undefined;
        if (done) return controller.close();
        controller.enqueue(
          encoder.encode(`id: ${value.seq}\nevent: ${value.__typename}\ndata: ${JSON.stringify(value)}\n\n`),
        );
      } catch (error) {
        const code = error instanceof ProblemError ? error.problem.code : 'INTERNAL';
        controller.enqueue(encoder.encode(`event: error\ndata: ${JSON.stringify({ code })}\n\n`));
        controller.close();
      }
    },
    cancel: async () => void (await source.return(undefined)),
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      location: `/v1/runs/${runId}`,
    },
  });
}

/** The seq after which a stream goes on: Last-Event-ID, else `after` of the query, else from the beginning. Undefined when it is no seq. */
export function afterOf(request: Request): number | undefined {
  const said = request.headers.get('last-event-id') ?? new URL(request.url).searchParams.get('after') ?? '0';
  return /^\d{1,9}$/.test(said) ? Number(said) : undefined;
}
