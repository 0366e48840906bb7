import type { ExecutionResult } from 'graphql';

const pingMs = 12_000;
const ping = ':\n\n';

/** How what is streamed becomes messages. */
interface Wording<T> {
  message(value: T): string;
  /** Said when there is no more. */
  readonly end: string;
  /** Said when the source throws; without it the stream breaks off. */
  fault?(error: unknown): string;
}

/**
 * A source as a server-sent event stream: its headers go out at once, a comment keeps it open while there is nothing to say, and a reader who leaves
 * ends the source.
 */
export function eventStreamOf<T>(
  source: AsyncIterator<T>,
  { message, end, fault }: Wording<T>,
  headers: Readonly<Record<string, string>> = {},
): Response {
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
      let last = end;
      try {
        const { done, value } = await source.next();
        if (!done) return controller.enqueue(encoder.encode(message(value)));
      } catch (error) {
        if (!fault) {
          clearInterval(timer);
          throw error;
        }
        last = fault(error);
      }
      clearInterval(timer);
      if (last) controller.enqueue(encoder.encode(last));
      controller.close();
    },
    async cancel() {
      clearInterval(timer);
      await source.return?.();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      ...headers,
    },
  });
}

/**
 * Results as GraphQL over SSE in distinct-connections mode. An event whose root field has `runId` and `seq` has the id `runId:seq`, so that a client
 * that reconnects with Last-Event-ID goes on after it (`resumed`).
 */
export const eventStreamResponse = (results: AsyncIterable<ExecutionResult>): Response =>
  eventStreamOf(results[Symbol.asyncIterator](), {
    message: (result) => `${idOf(result)}event: next\ndata: ${textOf(result)}\n\n`,
    end: 'event: complete\ndata:\n\n',
  });

function idOf({ data }: ExecutionResult): string {
  const [event] = Object.values(data ?? {}) as ({ runId?: unknown; seq?: unknown } | null)[];
  const { runId, seq } = event ?? {};
  return typeof runId === 'string' && /^[\w=-]{1,200}$/.test(runId) && Number.isInteger(seq)
    ? `id: ${runId}:${String(seq)}\n`
    : '';
}

const textOf = ({ data, errors }: ExecutionResult): string =>
  JSON.stringify({ ...(data === undefined ? {} : { data }), ...(errors?.length ? { errors } : {}) });
