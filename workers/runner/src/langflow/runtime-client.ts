import { Agent, errors, request, type Dispatcher } from 'undici';
import { isObject, textIn, type JsonObject } from './json.ts';
import type { Flavour } from './map-frames.ts';

/** Why the runtime could not be used. `unavailable`: nothing was executed, worth a retry; the others are final for this request. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly kind: 'unavailable' | 'unknown-flow' | 'refused' | 'broken';
  constructor(kind: RuntimeError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A flow as the runtime is given it. */
export interface Flow {
  readonly name: string;
  readonly data: JsonObject;
}

export interface FlowRequest {
  readonly flowId: string;
  readonly input: string;
  /** Unguessable, one per conversation: runtimes keep memory under it. */
  readonly sessionId: string;
  /** Values of the variables that the flow names; secrets among them, so never logged. */
  readonly globals: Readonly<Record<string, string>>;
}

/** The Langflow wire, as far as a runner needs it: upload a flow once, run it as a stream, stop it. */
export interface Runtime {
  readonly flavour: Flavour;
  /** Gives the runtime the flow under that id, unless it has it. Throws RuntimeError. */
  ensureFlow(flowId: string, flow: Flow, signal: AbortSignal): Promise<void>;
  /** Starts the flow; the bytes of its event stream. Aborting the signal closes the socket, which stops the flow. Throws RuntimeError. */
  open(run: FlowRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Asks a Langflow backend to stop a job; `lfx serve` stops by the closed socket alone. Never throws. */
  stop(jobId: string): Promise<void>;
  /** Throws when the runtime does not answer. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Answers that mean "not now": nothing was executed. */
const busy = new Set([409, 423, 429, 502, 503, 504]);

export function createRuntime(options: {
  url: string;
  apiKey: string;
  flavour: Flavour;
  connectMs: number;
  firstEventMs: number;
}): Runtime {
  const { flavour } = options;
  const agent = new Agent({
    connect: { timeout: options.connectMs },
    headersTimeout: options.firstEventMs,
    bodyTimeout: 0,
    connections: null,
  });
  /** Id at the runtime by our id: its own on a Langflow backend, which gives flows their ids itself. */
  const uploaded = new Map<string, string>();

  async function send(path: string, body: unknown, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await request(new URL(path, options.url), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream, application/json',
          'x-api-key': options.apiKey,
        },
        body: JSON.stringify(body),
        signal,
        dispatcher: agent,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      const kind = neverArrived(error) ? 'unavailable' : 'broken';
      throw new RuntimeError(kind, (error as Error).message, { cause: error });
    }
  }

  return {
    flavour,
    async ensureFlow(flowId, flow, signal) {
      if (uploaded.has(flowId)) return;
      const limited = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
      const answer =
        flavour === 'lfx'
          ? await send(
              '/flows/upload/',
              { id: flowId, name: flow.name, data: flow.data, replace: false },
              limited,
            )
          : await send('/api/v1/flows/', { name: `${flow.name}-${flowId}`, data: flow.data }, limited);
      const text = await bodyOf(answer);
      if (answer.statusCode === 201) uploaded.set(flowId, ownId(text) ?? flowId);
      else if (answer.statusCode === 409 && flavour === 'lfx') uploaded.set(flowId, flowId);
      else throw refusal(answer.statusCode, text);
    },
    async open(run, signal) {
      const body = {
        flow_id: uploaded.get(run.flowId) ?? run.flowId,
        input_value: run.input,
        session_id: run.sessionId,
        mode: 'stream',
        stream_protocol: 'langflow',
        globals: run.globals,
      };
      const answer = await send('/api/v2/workflows', body, signal);
      if (answer.statusCode === 200) return answer.body;
      const error = refusal(answer.statusCode, await bodyOf(answer));
      if (error.kind === 'unknown-flow') uploaded.delete(run.flowId);
      throw error;
    },
    async stop(jobId) {
      if (flavour === 'lfx') return;
      await send('/api/v2/workflows/stop', { job_id: jobId }, AbortSignal.timeout(2_000))
        .then((answer) => answer.body.dump())
        .catch(() => undefined);
    },
    async ready() {
      const answer = await request(new URL(flavour === 'lfx' ? '/health' : '/health_check', options.url), {
        dispatcher: agent,
        signal: AbortSignal.timeout(2_000),
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`The flow runtime answers ${answer.statusCode}.`);
    },
    close: () => agent.destroy(),
  };
}

/** At most 64 KiB of an answer that is not a stream. */
async function bodyOf(answer: Dispatcher.ResponseData): Promise<string> {
  let text = '';
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > 65_536) break;
  }
  return text;
}

function ownId(text: string): string | undefined {
  try {
    return textIn(JSON.parse(text) as unknown, 'id');
  } catch {
    return undefined;
  }
}

/** What a status other than success means. The body is looked at for its code and then dropped. */
function refusal(status: number, text: string): RuntimeError {
  if (busy.has(status)) return new RuntimeError('unavailable', `answered ${status}`);
  if (status === 404 && (text.includes('FLOW_NOT_FOUND') || text.toLowerCase().includes('not found')))
    return new RuntimeError('unknown-flow', 'the runtime does not know the flow');
  if (status === 400 || status === 413 || status === 422)
    return new RuntimeError('refused', `answered ${status}`);
  return new RuntimeError('broken', `answered ${status}`);
}

/** True when the request cannot have reached the runtime: repeating it executes nothing twice. */
function neverArrived(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  const code = isObject(error) ? error['code'] : undefined;
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EAI_AGAIN' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH'
  );
}
