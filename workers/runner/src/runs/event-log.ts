import { jsonBytes } from '../langflow/json.ts';
import type { MappedEvent } from '../langflow/mapped-event.ts';

/** An event with its place in the run. */
export interface LoggedEvent extends MappedEvent {
  readonly seq: number;
  readonly at: string;
}

/** The run's log as its owner writes it. */
export interface EventLog {
  push(event: MappedEvent): void;
  /** Resolves when all that was pushed before is stored, or the log was closed. */
  flush(): Promise<void>;
  /** The seq that the next event will get. */
  readonly nextSeq: number;
  /** Stops sending; what is waiting is dropped. */
  close(): void;
}

/** Longest text joined into one event, in bytes. */
const maxJoined = 32_768;
/** Largest append: runs takes 2,000 events and 1 MiB. */
const maxBatch = { events: 500, bytes: 262_144 };

/**
 * Batches a run's events: at once after a silence of `flushMs` and for the first text, else `flushMs` after the last append began or with
 * `flushBytes`; adjacent text of one message is joined. One append is under way at a time; what comes meanwhile waits here and is bounded by what a run may write, so the runtime's socket is always drained. An
 * append whose answer was lost is sent again as it was: the log knows its events by their seq.
 */
export function createEventLog(options: {
  firstSeq: number;
  flushMs: number;
  flushBytes: number;
  /** Stores events; retries inside until it can, and rejects only when this owner may write no more. */
  append: (events: readonly LoggedEvent[]) => Promise<void>;
}): EventLog {
  const waiting: { kind: string; payload: Record<string, unknown>; at: string; bytes: number }[] = [];
  let waitingBytes = 0;
  let sent = options.firstSeq;
  let stored = sent;
  let sentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;
  /** Something waits that is not to wait for the timer: the first text. */
  let urgent = false;
  let spoken = false;

  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    urgent = false;
    if (sending || closed || waiting.length === 0) return;
    let bytes = 0;
    let count = 0;
    while (
      count < waiting.length &&
      count < maxBatch.events &&
      (count === 0 || bytes + waiting[count]!.bytes <= maxBatch.bytes)
    )
      bytes += waiting[count++]!.bytes;
    const batch = waiting
      .splice(0, count)
      .map(({ bytes: _bytes, ...event }, index): LoggedEvent => ({ ...event, seq: sent + index }));
    waitingBytes -= bytes;
    sent += batch.length;
    sentAt = performance.now();
    sending = options
      .append(batch)
      .then(() => {
        stored += batch.length;
      })
      .catch(() => {
        closed = true;
      })
      .finally(() => {
        sending = undefined;
        schedule();
      });
  }

  function schedule(): void {
    if (waiting.length === 0 || closed || sending) return;
    const dueMs = sentAt + options.flushMs - performance.now();
    if (urgent || dueMs <= 0 || waitingBytes >= options.flushBytes) send();
    else timer ??= setTimeout(send, dueMs);
  }

  return {
    push({ kind, payload }) {
      const text = kind === 'TextMessageContent' ? (payload['delta'] as string) : undefined;
      const last = waiting.at(-1);
      const bytes = 100 + (text === undefined ? Buffer.byteLength(JSON.stringify(payload)) : jsonBytes(text));
      waitingBytes += bytes;
      const joins = last?.kind === kind && last.payload['messageId'] === payload['messageId'];
      if (text !== undefined && joins && last.bytes + bytes <= maxJoined) {
        last.payload['delta'] = (last.payload['delta'] as string) + text;
        last.bytes += bytes;
      } else waiting.push({ kind, payload: { ...payload }, at: new Date().toISOString(), bytes });
      if (text !== undefined && !spoken) urgent = spoken = true;
      schedule();
    },
    async flush() {
      const until = sent + waiting.length;
      while (!closed && stored < until) {
        send();
        await sending;
      }
    },
    get nextSeq() {
      return sent + waiting.length;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
