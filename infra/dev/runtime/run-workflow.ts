import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { aguiFrames } from './agui-frames.ts';
import type { Flavour, RunContext } from './components.ts';
import { executeFlow, messageIds } from './execute-flow.ts';
import type { FlowEvent } from './flow-events.ts';
import type { StoredFlow } from './flows.store.ts';
import { backendFrames, lfxFrames, outputJson, type FrameEncoder } from './langflow-frames.ts';
import { buildError, traceback, type RunFacts } from './messages.ts';
import type { ModelOptions } from './model.ts';
import type { WorkflowRequest } from './workflow-request.ts';

/** A run about to start. */
export interface WorkflowRun {
  readonly stored: StoredFlow;
  readonly request: WorkflowRequest;
  readonly flavour: Flavour;
  readonly variables: ReadonlyMap<string, string>;
  readonly model: ModelOptions;
  readonly jobId: string;
  readonly signal: AbortSignal;
}

const timestamp = (): string => `${new Date().toISOString().replace('T', ' ').slice(0, -1)}000 UTC`;

/** The events of a run. Aborting `run.signal` stops the flow where it is: open model and tool requests are closed. */
export function eventsOf(run: WorkflowRun, streaming: boolean): AsyncGenerator<FlowEvent> {
  const context: RunContext = {
    flavour: run.flavour,
    input: run.request.input_value,
    streaming,
    variables: run.variables,
    model: run.model,
    signal: run.signal,
    newMessageId: messageIds[run.flavour],
    timestamp,
  };
  return executeFlow(run.stored.flow, context);
}

/** The encoder that the request's protocol and the flavour ask for. */
export function encoderOf(run: WorkflowRun): FrameEncoder {
  const { request, flavour, stored } = run;
  const isAgui = request.stream_protocol === 'agui';
  const facts: RunFacts = {
    flavour,
    flowId: stored.id,
    sessionId: request.session_id ?? stored.id,
    // The backend's frames carry their job's id, which is what its stop asks for.
    runId: flavour === 'lfx' ? randomUUID() : run.jobId,
    exposeState: request.expose_graph_state ?? !isAgui,
  };
  if (isAgui) return aguiFrames(facts, { threadId: facts.sessionId, runId: run.jobId });
  return flavour === 'lfx' ? lfxFrames(facts) : backendFrames(facts);
}

/** One SSE frame; the two servers order its lines differently. */
export const sseFrame = (flavour: Flavour, id: number, data: string): string =>
  flavour === 'lfx' ? `id: ${id}\ndata: ${data}\n\n` : `data: ${data}\nid: ${id}\n\n`;

export const streamHeaders = (flavour: Flavour): Record<string, string> => ({
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
  'content-type': 'text/event-stream; charset=utf-8',
  ...(flavour === 'langflow' ? { vary: 'Origin' } : {}),
});

/** Writes a run as an event stream, frame by frame, as fast as the client reads. Langflow says `: keepalive` while nothing happens. */
export async function streamRun(
  run: WorkflowRun,
  outgoing: ServerResponse,
  keepaliveMs: number,
): Promise<void> {
  outgoing.writeHead(200, streamHeaders(run.flavour));
  outgoing.flushHeaders();
  const encode = encoderOf(run);
  let lastWrite = Date.now();
  const timer =
    run.flavour === 'langflow'
      ? setInterval(() => {
          if (Date.now() - lastWrite >= keepaliveMs) outgoing.write(': keepalive\n\n');
        }, keepaliveMs)
      : undefined;
  try {
    let id = 0;
    for await (const event of eventsOf(run, true)) {
      for (const data of encode(event)) {
        if (!outgoing.write(sseFrame(run.flavour, id, data))) await drained(outgoing, run.signal);
        lastWrite = Date.now();
        id += 1;
      }
    }
    outgoing.end();
  } finally {
    clearInterval(timer);
  }
}

function drained(outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      outgoing.off('drain', done);
      signal.removeEventListener('abort', gone);
      resolve();
    };
    const gone = (): void => {
      outgoing.off('drain', done);
      reject(signal.reason as Error);
    };
    outgoing.once('drain', done);
    signal.addEventListener('abort', gone, { once: true });
    if (signal.aborted) gone();
  });
}

/** How a run that was not streamed ended. */
export type WholeRun =
  | { readonly ok: true; readonly outputs: readonly { id: string; json: Record<string, unknown> }[] }
  | { readonly ok: false; readonly error: string; readonly logs: string };

/** Collects a run's events to its end. */
export async function finish(events: AsyncIterable<FlowEvent>): Promise<WholeRun> {
  const outputs: { id: string; json: Record<string, unknown> }[] = [];
  for await (const event of events) {
    if (event.kind === 'nodeEnded' && event.node.type === 'ChatOutput')
      outputs.push({ id: event.node.id, json: outputJson(event.node, event.result) });
    if (event.kind === 'nodeFailed')
      return { ok: false, error: buildError(event.node, event.failure), logs: traceback(event.failure) };
  }
  return { ok: true, outputs };
}

/** The answer of mode `sync`, and of a finished background job. A failing component is HTTP 200 with `status: failed`. */
export function workflowResponse(run: WorkflowRun, whole: WholeRun): Record<string, unknown> {
  const { stored, request, jobId } = run;
  const [first] = whole.ok ? whole.outputs : [];
  const reason = !whole.ok ? 'failed' : !first ? 'none' : whole.outputs.length > 1 ? 'multiple' : 'single';
  return {
    flow_id: stored.id,
    session_id: whole.ok ? (request.session_id ?? stored.id) : null,
    job_id: jobId,
    object: 'response',
    created_timestamp: new Date().toISOString().replace('Z', '000+00:00'),
    status: whole.ok ? 'completed' : 'failed',
    output:
      reason === 'single'
        ? { reason, text: first!.json['content'], source: first!.id }
        : { reason, text: null, source: null },
    errors: whole.ok
      ? []
      : [
          {
            error: `Error running graph: ${whole.error}`,
            code: 'EXECUTION_ERROR',
            details: { flow_id: stored.id, error_type: 'ValueError' },
          },
        ],
    warnings: [],
    inputs: {},
    globals: request.mode === 'background' ? {} : request.globals,
    outputs: whole.ok ? Object.fromEntries(whole.outputs.map(({ id, json }) => [id, json])) : {},
    human_request: null,
    has_errors: !whole.ok,
  };
}
