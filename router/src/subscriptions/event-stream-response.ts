import type { ExecutionResult } from 'graphql';

const pingMs = 12_000;
const ping = ':\n\n';

/**
 * Results as GraphQL over SSE in distinct-connections mode. An event whose root field has `runId` and `seq` has the id `runId:seq`, so that a client
 * that reconnects with Last-Event-ID goes on after it (`resumed`).
 */
export function eventStreamResponse(results: AsyncIterable<ExecutionResult>): Response {
  const iterator = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // The first bytes bring the headers through to clients that wait for them.
      controller.enqueue(encoder.encode(ping));
      timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(ping));
      }, pingMs);
    },
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (!done)
        return controller.enqueue(encoder.encode(`${idOf(value)}event: next\ndata: ${textOf(value)}\n\n`));
      clearInterval(timer);
      controller.enqueue(encoder.encode('event: complete\ndata:\n\n'));
      controller.close();
    },
    async cancel() {
      clearInterval(timer);
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

function idOf({ data }: ExecutionResult): string {
  const [event] = Object.values(data ?? {}) as ({ runId?: unknown; seq?: unknown } | null)[];
  const { runId, seq } = event ?? {};
  return typeof runId === 'string' && /^[\w=-]{1,200}$/.test(runId) && Number.isInteger(seq)
    ? `id: ${runId}:${String(seq)}\n`
    : '';
}

const textOf = ({ data, errors }: ExecutionResult): string =>
  JSON.stringify({ ...(data === undefined ? {} : { data }), ...(errors?.length ? { errors } : {}) });
