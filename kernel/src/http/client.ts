import { request as undiciRequest, Agent } from 'undici';
import { ServiceError, UnavailableError, type CallOptions, type ServiceClient } from '../service-client.ts';
import { within } from '../deadline.ts';
import { SignalledRequest } from './signalled-request.ts';
import { activeTrace } from './trace.ts';
import { webBodyOf } from './web-body.ts';

export { ServiceError, UnavailableError, type ServiceClient } from '../service-client.ts';

/** Sends one request to a service: in process (`app.fetch`) or over HTTP. */
export type Send = (request: Request) => Promise<Response>;

const agent = new Agent({
  connections: 64,
  pipelining: 1,
  keepAliveTimeout: 30_000,
  connect: { timeout: 2_000 },
});

/** For answers that go on for long: each holds its connection, so that a bounded pool would soon have none left for anything else. */
const streamAgent = new Agent({ pipelining: 1, keepAliveTimeout: 1_000, connect: { timeout: 2_000 } });

/** Over HTTP with undici's pool: keep-alive, streaming bodies both ways. */
const overHttp: Send = async (request) => {
  const body =
    request.method === 'GET' || request.method === 'HEAD' ? null : Buffer.from(await request.arrayBuffer());
  const answer = await undiciRequest(request.url, {
    method: request.method as 'GET',
    headers: Object.fromEntries(request.headers),
    body,
    signal: request.signal,
    dispatcher: request.headers.get('accept')?.includes('text/event-stream') ? streamAgent : agent,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  const empty = answer.statusCode === 204 || answer.statusCode === 304;
  if (empty) await answer.body.dump();
  return new Response(empty ? null : webBodyOf(answer.body), {
    status: answer.statusCode,
    headers,
  });
};

/** One request of `call`, and what was answered before the body is read. */
interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}
interface Answered {
  readonly status: number;
  text(): Promise<string>;
  discard(): void;
}

/** Without Request, Response and web streams: what is short and whole needs none of them, and they cost more than all else of a call. */
async function askOverHttp({ url, ...asked }: Asked): Promise<Answered> {
  const { statusCode: status, body } = await undiciRequest(url, {
    ...asked,
    method: asked.method as 'GET',
    dispatcher: agent,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    status,
    text: () => body.text(),
    discard: () => void body.on('error', () => undefined).destroy(),
  };
}

const askInProcess =
  (send: Send) =>
  async ({ url, ...asked }: Asked): Promise<Answered> => {
    const answer = await send(new SignalledRequest(url, asked));
    return {
      status: answer.status,
      text: () => textOf(answer, asked.signal),
      discard: () => void answer.body?.cancel().catch(() => undefined),
    };
  };

async function textOf({ body }: Response, signal: AbortSignal): Promise<string> {
  if (!body) return '';
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const stop = (): void => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    const decoder = new TextDecoder();
    let text = '';
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += decoder.decode(next.value, { stream: true });
    signal.throwIfAborted();
    return text + decoder.decode();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export function createServiceClient(options: {
  name: string;
  /** Origin, e.g. `http://127.0.0.1:4102`. In process only its text matters. */
  baseUrl: string;
  /** `app.fetch` of an app mounted in this process; over HTTP when absent. */
  send?: Send;
  /** Bearer for `call`; asked for each request, so it may refresh. */
  token?: () => Promise<string>;
  deadlineMs?: number;
}): ServiceClient {
  const send = options.send ?? overHttp;
  const ask = options.send ? askInProcess(options.send) : askOverHttp;
  const standardDeadline = options.deadlineMs ?? 10_000;

  async function transport(
    path: string,
    init: RequestInit & { deadlineMs?: number } = {},
  ): Promise<Response> {
    const { deadlineMs, signal, ...rest } = init;
    const headers = new Headers(rest.headers);
    const trace = activeTrace();
    if (trace && !headers.has('traceparent')) headers.set('traceparent', trace);
    const deadline = deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs);
    const signals = [signal ?? undefined, deadline].filter((one) => one !== undefined);
    try {
      const combined = signals.length ? AbortSignal.any(signals) : undefined;
      const asked = { ...rest, headers, signal: combined, duplex: 'half' } as unknown as RequestInit;
      const answer = await send(new Request(new URL(path, options.baseUrl), asked));
      return combined && answer.body ? endedBy(combined, answer) : answer;
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new UnavailableError(
        options.name,
        deadline?.aborted ? `no answer in ${deadlineMs} ms` : (error as Error).message,
        { cause: error },
      );
    }
  }

  async function once<T>(method: string, path: string, body: unknown, call: CallOptions): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
    if (options.token) headers['authorization'] = `Bearer ${await options.token()}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const trace = activeTrace();
    if (trace) headers['traceparent'] ??= trace;
    const deadlineMs = call.deadlineMs ?? standardDeadline;
    const { status, text } = await within(deadlineMs, call.signal ? [call.signal] : [], async (signal) => {
      /** Why there is no whole answer; the caller's own abort is thrown as it is. */
      const failure = (error: unknown, late: string, otherwise: string): unknown => {
        if (call.signal?.aborted) return error;
        return new UnavailableError(options.name, signal.aborted ? late : otherwise, { cause: error });
      };
      const answer = await ask({
        url: new URL(path, options.baseUrl),
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body, bigintAsText),
        signal,
      }).catch((error: unknown) => {
        throw failure(error, `no answer in ${deadlineMs} ms`, (error as Error).message);
      });
      if (answer.status >= 500) {
        answer.discard();
        throw new UnavailableError(options.name, `${method} ${path} answered ${answer.status}`, {
          status: answer.status,
        });
      }
      // A peer that stalls after its headers, or cuts what it promised, gave no answer.
      const whole = await answer.text().catch((error: unknown) => {
        const cut = `its answer was cut: ${(error as Error).message}`;
        throw failure(error, `no whole answer in ${deadlineMs} ms`, cut);
      });
      return { status: answer.status, text: whole };
    });
    if (status < 200 || status > 299) throw new ServiceError(options.name, status, parseFacts(text));
    try {
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw new UnavailableError(options.name, `the answer of ${method} ${path} is not JSON`, {
        cause: error,
      });
    }
  }

  return {
    name: options.name,
    fetch: transport,
    async call<T>(method: string, path: string, body?: unknown, call: CallOptions = {}): Promise<T> {
      for (let attempt = 0; ; attempt++) {
        try {
          return await once<T>(method, path, body, call);
        } catch (error) {
          if (!(error instanceof UnavailableError) || attempt >= (call.retries ?? 0) || call.signal?.aborted)
            throw error;
          await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * (0.5 + Math.random())));
        }
      }
    },
  };
}

/**
 * The answer, its body ended by the signal itself. A Request holds its signal's controller weakly: once the request is collected, and it is while
 * a long body goes on, an abort no longer reaches whoever sends the body.
 */
const endedBy = (signal: AbortSignal, answer: Response): Response =>
  new Response(answer.body!.pipeThrough(new TransformStream(), { signal }), answer);

const bigintAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

function parseFacts(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
