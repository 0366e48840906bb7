import { createParser } from 'eventsource-parser';
import { isObject, textIn, type JsonObject } from './json.ts';

/** One event of the runtime's stream: `{"event": …, "data": …}`. */
export interface Frame {
  readonly event: string;
  readonly data: JsonObject;
}

/** The runtime sent more than a run may. */
export class StreamTooLargeError extends Error {
  override readonly name = 'StreamTooLargeError';
}

export interface FrameLimits {
  /** Largest single event, in bytes. */
  readonly maxEventBytes: number;
  /** Largest stream, in bytes. */
  readonly maxStreamBytes: number;
}

/**
 * Server-sent events by the WHATWG standard: `id` before or after `data` (lfx and Langflow differ), comments, any chunking. Comments are not
 * frames: they show that the server lives, not that the flow does. What is not a JSON object with an `event` is skipped. Throws
 * StreamTooLargeError.
 */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  limits: FrameLimits,
): AsyncGenerator<Frame, void, void> {
  const decoder = new TextDecoder();
  let ready: Frame[] = [];
  let pending = 0;
  let total = 0;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (Buffer.byteLength(data) > limits.maxEventBytes) throw eventTooLarge(limits);
      pending = 0;
      const frame = frameOf(data);
      if (frame) ready.push(frame);
    },
    onComment: () => (pending = 0),
  });
  for await (const chunk of chunks) {
    total += chunk.byteLength;
    if (total > limits.maxStreamBytes)
      throw new StreamTooLargeError(`more than ${limits.maxStreamBytes} bytes`);
    pending += chunk.byteLength;
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (pending > limits.maxEventBytes) throw eventTooLarge(limits);
    const frames = ready;
    ready = [];
    yield* frames;
  }
}

const eventTooLarge = (limits: FrameLimits): StreamTooLargeError =>
  new StreamTooLargeError(`an event of more than ${limits.maxEventBytes} bytes`);

function frameOf(text: string): Frame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const event = textIn(value, 'event');
  if (event === undefined) return undefined;
  const data = (value as JsonObject)['data'];
  return { event, data: isObject(data) ? data : {} };
}
