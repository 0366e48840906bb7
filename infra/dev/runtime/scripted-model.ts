import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@agentstore/kernel/log';
import { readJson, sendJson } from './http.ts';
import {
  brokenModel,
  scriptModel,
  scriptedModels,
  type ChatMessage,
  type ModelScript,
} from './model-script.ts';

/** One request as the model server saw it, for tests that ask which credential came with which question. */
export interface SeenRequest {
  readonly apiKey: string;
  readonly model: string;
  /** The last message of the user. */
  readonly input: string;
  /** How it went: `aborted` when the client closed the connection before the end. */
  readonly outcome: 'answered' | 'failed' | 'aborted';
  /** Tokens sent. */
  readonly tokens: number;
}

export interface ScriptedModelOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  /** Pause before each token where the model's name does not say; default 0. */
  readonly delayPerTokenMs?: number;
  readonly onRequest?: (seen: SeenRequest) => void;
}

/** A running OpenAI-compatible endpoint; `url` ends in `/v1`, as clients want their base URL. */
export interface ScriptedModel {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a model server on 127.0.0.1 that needs no key to anything: `POST /v1/chat/completions` (stream and not), `GET /v1/models`. Answers are
 * deterministic (model-script.ts); any bearer token is accepted, none is refused as OpenAI does.
 */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const server = http.createServer((incoming, outgoing) => {
    answer(incoming, outgoing, options).catch((error: unknown) => {
      options.log.error({ err: error }, 'scripted model failed');
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Completion {
  readonly model?: string;
  readonly messages?: readonly { role: string; content: unknown }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

async function answer(
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
  options: ScriptedModelOptions,
): Promise<void> {
  const path = (incoming.url ?? '').split('?')[0];
  const apiKey = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1];
  if (!apiKey)
    return refuse(outgoing, 401, {
      message: 'You did not provide an API key.',
      type: 'invalid_request_error',
      code: null,
    });
  if (incoming.method === 'GET' && path === '/v1/models')
    return sendJson(outgoing, 200, {
      object: 'list',
      data: scriptedModels.map((id) => ({ id, object: 'model', created: 0, owned_by: 'agentstore' })),
    });
  if (incoming.method !== 'POST' || path !== '/v1/chat/completions')
    return refuse(outgoing, 404, {
      message: `Unknown request URL: ${incoming.method} ${path}`,
      type: 'invalid_request_error',
      code: 'unknown_url',
    });
  const body = (await readJson(incoming)) as Completion;
  const messages = (body.messages ?? []).map(({ role, content }): ChatMessage => ({
    role,
    content: textOf(content),
  }));
  const model = body.model ?? '';
  const script = scriptModel({ model, messages, delayMs: options.delayPerTokenMs ?? 0 });
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const input = messages.findLast((message) => message.role === 'user')?.content ?? '';
  const report = (outcome: SeenRequest['outcome'], tokens: number): void =>
    options.onRequest?.({ apiKey, model, input, outcome, tokens });
  const sent = { tokens: 0 };
  try {
    const ended = await (body.stream ? stream : whole)({ outgoing, script, body, sent, signal: gone.signal });
    report(ended ? 'answered' : 'failed', sent.tokens);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    report('aborted', sent.tokens);
  }
}

interface Answering {
  readonly outgoing: http.ServerResponse;
  readonly script: ModelScript;
  readonly body: Completion;
  readonly sent: { tokens: number };
  /** Aborts when the client is gone; every pause then throws. */
  readonly signal: AbortSignal;
}

async function stream({ outgoing, script, body, sent, signal }: Answering): Promise<boolean> {
  const id = `chatcmpl-${randomUUID()}`;
  const base = {
    id,
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1_000),
    model: body.model,
  };
  const send = (chunk: object): void => {
    if (!outgoing.headersSent)
      outgoing.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    outgoing.write(`data: ${JSON.stringify({ ...base, ...chunk })}\n\n`);
  };
  const delta = (content: object, finish: string | null = null): object => ({
    choices: [{ index: 0, delta: content, finish_reason: finish }],
  });
  for (const token of script.tokens) {
    await pause(script.delayMs, signal);
    if (sent.tokens === 0) send(delta({ role: 'assistant', content: '' }));
    send(delta({ content: token }));
    sent.tokens += 1;
  }
  if (script.ending === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
  if (script.ending === 'fail') {
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, script.status, brokenModel);
    return false;
  }
  if (sent.tokens === 0) send(delta({ role: 'assistant', content: '' }));
  send(delta({}, 'stop'));
  if (script.usage && body.stream_options?.include_usage)
    send({ choices: [], usage: usageOf(script, sent.tokens) });
  outgoing.end('data: [DONE]\n\n');
  return true;
}

async function whole({ outgoing, script, body, sent, signal }: Answering): Promise<boolean> {
  let content = '';
  for (const token of script.tokens) {
    await pause(script.delayMs, signal);
    content += token;
    sent.tokens += 1;
  }
  if (script.ending === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
  if (script.ending === 'fail') {
    refuse(outgoing, script.status, brokenModel);
    return false;
  }
  sendJson(outgoing, 200, {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model: body.model,
    choices: [
      { index: 0, message: { role: 'assistant', content: content.trimEnd() }, finish_reason: 'stop' },
    ],
    ...(script.usage ? { usage: usageOf(script, sent.tokens) } : {}),
  });
  return true;
}

/** Token counts in OpenAI's words. */
const usageOf = (script: ModelScript, tokens: number): object => ({
  prompt_tokens: script.inputTokens,
  completion_tokens: tokens,
  total_tokens: script.inputTokens + tokens,
});

/** Waits, and gives way to the event loop even when there is nothing to wait for, so that an endless answer can be stopped. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await sleep(delayMs, undefined, { signal });
  else await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

const refuse = (outgoing: http.ServerResponse, status: number, error: object): void =>
  sendJson(outgoing, status, { error });

/** Content is a text, or a list of parts of which the text ones count. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : ''))
    .join('');
}
