import { setTimeout as sleep } from 'node:timers/promises';
import { ComponentError } from './component-error.ts';
import { pythonRepr } from './data-frame.ts';
import type { Usage } from './flow-events.ts';
import { brokenModel, scriptModel, type ChatMessage } from './model-script.ts';

export interface ModelOptions {
  /** Pause before each token of the built-in scripted model where its name does not say. */
  readonly delayPerTokenMs: number;
}

export interface ChatRequest {
  /** Empty or `scripted:` for the built-in model, else an OpenAI-compatible base URL. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number | undefined;
  readonly streaming: boolean;
}

/** A piece of the answer (may be empty), or the token counts. */
export type ModelChunk = { readonly text: string } | { readonly usage: Usage };

/** Asks a model. Throws `ComponentError` with the texts that OpenAI's Python client would give; aborting the signal closes the upstream request. */
export function chat(
  request: ChatRequest,
  o: { model: ModelOptions; signal: AbortSignal },
): AsyncGenerator<ModelChunk> {
  return request.baseUrl === '' || request.baseUrl.startsWith('scripted:')
    ? scripted(request, o)
    : remote(request, o.signal);
}

async function* scripted(
  request: ChatRequest,
  o: { model: ModelOptions; signal: AbortSignal },
): AsyncGenerator<ModelChunk> {
  const script = scriptModel({
    model: request.model,
    messages: request.messages,
    delayMs: o.model.delayPerTokenMs,
  });
  let tokens = 0;
  let whole = '';
  for (const token of script.tokens) {
    if (script.delayMs > 0) await sleep(script.delayMs, undefined, { signal: o.signal });
    else if (tokens % 16 === 15) await new Promise((resolve) => setImmediate(resolve)); // or an endless answer would hold the event loop
    o.signal.throwIfAborted();
    if (tokens === 0 && request.streaming) yield { text: '' };
    tokens += 1;
    if (request.streaming) yield { text: token };
    else whole += token;
  }
  if (script.ending === 'hang') await sleep(2 ** 31 - 1, undefined, { signal: o.signal });
  if (script.ending === 'fail')
    throw tokens > 0 && request.streaming ? brokenOff() : refused(script.status, brokenModel);
  yield { text: request.streaming ? '' : whole.trimEnd() };
  if (!script.usage) return;
  yield {
    usage: {
      input_tokens: script.inputTokens,
      output_tokens: tokens,
      total_tokens: script.inputTokens + tokens,
    },
  };
}

interface Completion {
  readonly choices?: readonly {
    delta?: { content?: string | null };
    message?: { content?: string | null };
  }[];
  readonly usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
}

const upstreamDeadlineMs = 10 * 60_000;

async function* remote(request: ChatRequest, aborted: AbortSignal): AsyncGenerator<ModelChunk> {
  const signal = AbortSignal.any([aborted, AbortSignal.timeout(upstreamDeadlineMs)]);
  const response = await fetch(`${request.baseUrl.replace(/\/$/, '')}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${request.apiKey}` },
    body: JSON.stringify({
      model: request.model,
      messages: request.messages,
      ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
      stream: request.streaming,
      ...(request.streaming ? { stream_options: { include_usage: true } } : {}),
    }),
    signal,
  }).catch((error: unknown) => {
    aborted.throwIfAborted();
    throw new ComponentError({
      errorClass: 'APIConnectionError',
      text: `Connection error. ${error instanceof Error ? error.message : ''}`.trim(),
    });
  });
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
    throw refused(response.status, body.error ?? { message: response.statusText });
  }
  if (!request.streaming) {
    const completion = (await response.json()) as Completion;
    yield { text: completion.choices?.[0]?.message?.content ?? '' };
    if (completion.usage) yield { usage: usageOf(completion.usage) };
    return;
  }
  for await (const data of events(response, aborted)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data) as Completion;
    if (chunk.usage) yield { usage: usageOf(chunk.usage) };
    else yield { text: chunk.choices?.[0]?.delta?.content ?? '' };
  }
}

const usageOf = (usage: NonNullable<Completion['usage']>): Usage => ({
  input_tokens: usage.prompt_tokens,
  output_tokens: usage.completion_tokens,
  total_tokens: usage.total_tokens,
});

/** `data:` lines of an event stream. */
async function* events(response: Response, aborted: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of response.body!) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim();
    }
  } catch {
    aborted.throwIfAborted();
    throw brokenOff();
  }
}

const brokenOff = (): ComponentError =>
  new ComponentError({
    errorClass: 'RemoteProtocolError',
    text: 'peer closed connection without sending complete message body (incomplete chunked read)',
  });

/** An HTTP error in the words of OpenAI's Python client, which prints the body as Python does. */
function refused(status: number, error: object & { message?: string }): ComponentError {
  return new ComponentError({
    errorClass: 'OpenAIAPIError',
    text: error.message ?? `Error code: ${status}`,
    detail: `Error code: ${status} - ${pythonRepr({ error })}`,
  });
}
