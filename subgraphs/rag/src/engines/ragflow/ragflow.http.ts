import { Readable } from 'node:stream';
import { Pool } from 'undici';
import { z } from 'zod';
import { UnavailableError } from '@agentstore/kernel/service-client';

/**
 * Ragflow answered, and not with success; `code` is that of its envelope. Where nobody knows what it means, it is as good as an engine that is away.
 */
export class RagflowRefusal extends UnavailableError {
  readonly code: number;
  readonly words: string;
  constructor(code: number, words: string) {
    super('ragflow', `it refuses (${code}): ${words}`);
    this.code = code;
    this.words = words;
  }
}

export interface RagflowCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its query, below `/api/v1`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it comes. */
  readonly stream?: { readonly contentType: string; readonly body: AsyncIterable<Uint8Array> };
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One origin and one key. */
export interface RagflowCalls {
  /** `data` of the answer in its shape. Throws RagflowRefusal, UnavailableError, or what a stream threw. */
  call<Shape extends z.ZodType>(shape: Shape, call: RagflowCall): Promise<z.output<Shape>>;
  isHealthy(): Promise<boolean>;
  close(): Promise<void>;
}

/** 102: not there, not ours, or not possible now. */
export const dataError = 102;

const envelope = z.object({ code: z.number(), message: z.string().nullish(), data: z.unknown().optional() });
const mostWords = 300;
const mostCallsAtOnce = 32;

/**
 * Calls of Ragflow's API: the code in the body decides, whatever the status is. Nothing is retried, no redirect followed; an error holds neither the key nor what
 * was sent.
 */
export function createRagflowCalls(options: {
  readonly url: string;
  readonly apiKey: string;
  readonly deadlineMs: number;
  readonly mostAnswerBytes: number;
}): RagflowCalls {
  const { apiKey, deadlineMs } = options;
  const pool = new Pool(new URL(options.url).origin, {
    connections: mostCallsAtOnce,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxResponseSize: options.mostAnswerBytes,
    connect: { timeout: Math.min(deadlineMs, 5_000) },
  });
  const wordsOf = (text: string): string => text.replaceAll(apiKey, '[redacted]').slice(0, mostWords);

  async function send(call: RagflowCall): Promise<{ status: number; text: string }> {
    const { method, path, json, stream, signal } = call;
    const deadline = AbortSignal.timeout(call.deadlineMs ?? deadlineMs);
    const contentType = stream?.contentType ?? (json === undefined ? undefined : 'application/json');
    const source = stream && faultsOf(stream.body);
    try {
      const answer = await pool.request({
        method,
        path: `/api/v1${path}`,
        headers: {
          authorization: `Bearer ${apiKey}`,
          accept: 'application/json',
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        body: source?.body ?? (json === undefined ? null : JSON.stringify(json)),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        headersTimeout: 0, // the deadline is for the whole of it
        bodyTimeout: 0,
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      signal?.throwIfAborted();
      const fault = source?.fault();
      if (fault !== undefined) throw fault;
      // Without its cause: a parser's error holds what was answered.
      const reason = deadline.aborted ? 'no answer in time' : nameOf(error);
      throw new UnavailableError('ragflow', `${method} ${pathOf(path)}: ${reason}`);
    }
  }

  return {
    async call(shape, call) {
      const { status, text } = await send(call);
      const answer = envelope.safeParse(parse(text));
      const where = `${call.method} ${pathOf(call.path)}`;
      if (!answer.success) throw new UnavailableError('ragflow', `${where} answered ${status}`, { status });
      const { code, message, data } = answer.data;
      if (code !== 0) throw new RagflowRefusal(code, wordsOf(message ?? ''));
      const read = shape.safeParse(data);
      if (!read.success) throw new UnavailableError('ragflow', `${where} answered in an unknown form`);
      return read.data;
    },
    async isHealthy() {
      return send({ method: 'GET', path: '/system/healthz' }).then(
        ({ status }) => status === 200, // the one answer without an envelope
        () => false,
      );
    },
    close: () => pool.destroy(),
  };
}

/** A stream, and what it threw while somebody else read it. */
function faultsOf(source: AsyncIterable<Uint8Array>) {
  let fault: unknown;
  async function* body(): AsyncIterable<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  return { body: Readable.from(body()), fault: () => fault };
}

const pathOf = (path: string): string => path.split('?')[0]!;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
