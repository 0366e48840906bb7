import { Agent, errors, request, type Dispatcher } from 'undici';
import { countIn, isObject, textIn, type JsonObject } from './json.ts';
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

/** The runtime is another one than configured, or older than what its wire was recorded of. */
export class RuntimeMismatch extends Error {
  override readonly name = 'RuntimeMismatch';
}

/** The Langflow backend's version whose wire is known here; older ones have known holes. */
const oldest = '1.13.0';

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
  /** Throws when the runtime does not answer, and RuntimeMismatch when it is not what this runner speaks to. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Answers that mean "not now": nothing was executed. What a proxy says of a runtime that did not answer it (502, 504) is not among them. */
const busy = new Set([409, 423, 429, 503]);
/** The same of an upload, which can be repeated whatever became of it. */
const uploadLater = new Set([...busy, 408, 502, 504]);

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

  async function send(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(new URL(path, options.url), {
        method,
        headers: {
          accept: 'text/event-stream, application/json',
          'x-api-key': options.apiKey,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
        dispatcher: agent,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      const kind = neverArrived(error) ? 'unavailable' : 'broken';
      throw new RuntimeError(kind, (error as Error).message, { cause: error });
    }
  }

  async function asked(path: string): Promise<unknown> {
    const answer = await send('GET', path, AbortSignal.timeout(2_000));
    const text = await bodyOf(answer);
    if (answer.statusCode !== 200) throw new Error(`The flow runtime answers ${answer.statusCode}.`);
    return parsed(text);
  }

  async function uploadToLfx(id: string, { name, data }: Flow, signal: AbortSignal): Promise<string> {
    const answer = await send('POST', '/flows/upload/', signal, { id, name, data, replace: false });
    const text = await bodyOf(answer);
    if (answer.statusCode === 201 || answer.statusCode === 409) return id;
    throw refusal(answer.statusCode, text, uploadLater);
  }

  /** A backend gives flows ids of its own and would keep a second copy of each: the name says which one is ours. */
  async function uploadToBackend(id: string, flow: Flow, signal: AbortSignal): Promise<string> {
    const name = `${flow.name}-${id}`;
    const listed = await send('GET', '/api/v1/flows/?get_all=true&header_flows=true', signal);
    const list = await bodyOf(listed, mostListed);
    const known = listed.statusCode === 200 ? idOfFlow(list, name) : undefined;
    if (known !== undefined) return known;
    const answer = await send('POST', '/api/v1/flows/', signal, { name, data: flow.data });
    const text = await bodyOf(answer);
    const made = answer.statusCode === 201 ? textIn(parsed(text), 'id') : undefined;
    if (made === undefined) throw refusal(answer.statusCode, text, uploadLater);
    return made;
  }

  return {
    flavour,
    async ensureFlow(flowId, flow, signal) {
      if (uploaded.has(flowId)) return;
      const limited = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
      try {
        uploaded.set(
          flowId,
          await (flavour === 'lfx' ? uploadToLfx : uploadToBackend)(flowId, flow, limited),
        );
      } catch (error) {
        // Whatever became of it, an upload can be repeated.
        if (signal.aborted || (error instanceof RuntimeError && error.kind !== 'broken')) throw error;
        throw new RuntimeError('unavailable', (error as Error).message, { cause: error });
      }
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
      const answer = await send('POST', '/api/v2/workflows', signal, body);
      if (answer.statusCode === 200) return answer.body;
      const error = refusal(answer.statusCode, await bodyOf(answer));
      if (error.kind === 'unknown-flow') uploaded.delete(run.flowId);
      throw error;
    },
    async stop(jobId) {
      if (flavour === 'lfx') return;
      await send('POST', '/api/v2/workflows/stop', AbortSignal.timeout(2_000), { job_id: jobId })
        .then((answer) => answer.body.dump())
        .catch(() => undefined);
    },
    async ready() {
      const health = await asked('/health');
      // Only `lfx serve` counts its flows there.
      const is: Flavour = countIn(health, 'flow_count') === null ? 'langflow' : 'lfx';
      if (is !== flavour)
        throw new RuntimeMismatch(`The flow runtime is ${is}, and RUNTIME_FLAVOUR says ${flavour}.`);
      if (is === 'lfx') return; // it does not tell its version
      await asked('/health_check');
      const version = textIn(await asked('/api/v1/version'), 'version') ?? 'unknown';
      if (!isSince(version, oldest))
        throw new RuntimeMismatch(
          `The flow runtime has version ${version}; ${oldest} is the oldest that is known.`,
        );
    },
    close: () => agent.destroy(),
  };
}

/** Characters of a list of flows that are read: some ten thousand flows. */
const mostListed = 8_388_608;

/** The beginning of an answer that is not a stream. */
async function bodyOf(answer: Dispatcher.ResponseData, most = 65_536): Promise<string> {
  let text = '';
  for await (const chunk of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > most) break;
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function idOfFlow(list: string, name: string): string | undefined {
  const flows = parsed(list);
  return Array.isArray(flows)
    ? textIn(
        flows.find((flow) => textIn(flow, 'name') === name),
        'id',
      )
    : undefined;
}

/** Whether a version (`1.13.0`, `1.13.0.dev12`) is that one or a later one. */
function isSince(version: string, first: string): boolean {
  const [is, since] = [version, first].map((text) => text.split('.').slice(0, 3).map(Number));
  for (const [i, part] of since!.entries()) if (is![i] !== part) return (is![i] ?? 0) > part;
  return true;
}

/** What a status other than success means. The body is looked at for its code and then dropped. */
function refusal(status: number, text: string, later: ReadonlySet<number> = busy): RuntimeError {
  if (later.has(status)) return new RuntimeError('unavailable', `answered ${status}`);
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
