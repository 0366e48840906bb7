import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { findFlow, type Exchange, type RuntimeDeps } from './exchange.ts';
import type { StoredFlow } from './flows.store.ts';
import { readJson, sendJson } from './http.ts';
import { jobJson, startJob, type Job } from './jobs.ts';
import {
  eventsOf,
  finish,
  sseFrame,
  streamHeaders,
  streamRun,
  workflowResponse,
  type WorkflowRun,
} from './run-workflow.ts';
import {
  parseWorkflowRequest,
  refuseUnknownOutputs,
  refuseUnknownProtocol,
  refuseUnsupported,
  RequestRefusal,
} from './workflow-request.ts';

/** lfx's own run: whole, and a failure is 500 with a traceback in `logs`. */
export async function runFlow({ deps, incoming, outgoing, id, gone }: Exchange): Promise<void> {
  const stored = findFlow(deps, id);
  const body = ((await readJson(incoming)) ?? {}) as {
    input_value?: string;
    session_id?: string;
    global_vars?: Record<string, string>;
  };
  const request = parseWorkflowRequest({
    flow_id: id,
    input_value: body.input_value ?? '',
    globals: body.global_vars ?? {},
    session_id: body.session_id ?? null,
  });
  const whole = await finish(
    eventsOf(
      { ...runOf(deps, stored, gone), request, variables: new Map(Object.entries(request.globals)) },
      false,
    ),
  );
  if (whole.ok) {
    const [output] = whole.outputs;
    sendJson(outgoing, 200, {
      result: output?.json['content'] ?? '',
      success: true,
      logs: '',
      type: 'message',
      component: output?.json['display_name'] ?? '',
    });
  } else
    sendJson(outgoing, 500, {
      result: `Flow execution failed: ${whole.error}`,
      success: false,
      logs: whole.logs,
      type: 'error',
      component: '',
    });
}

const runOf = (
  deps: RuntimeDeps,
  stored: StoredFlow,
  signal: AbortSignal,
): Omit<WorkflowRun, 'request' | 'variables'> => ({
  stored,
  signal,
  flavour: deps.flavour,
  model: deps.model,
  jobId: randomUUID(),
});

/** `POST /api/v2/workflows`, in the order of lfx's own checks: body, protocol, flow, what this flavour lacks. */
export async function runWorkflow({ deps, incoming, outgoing, gone }: Exchange): Promise<void> {
  const request = parseWorkflowRequest(await readJson(incoming));
  refuseUnknownProtocol(request);
  const stored = deps.store.get(request.flow_id);
  if (!stored)
    throw new RequestRefusal(404, {
      error: 'flow not found',
      code: 'FLOW_NOT_FOUND',
      flow_id: request.flow_id,
    });
  refuseUnsupported(request, deps.flavour);
  const globals = new Map(Object.entries(request.globals));
  // The backend honours a request's globals in sync mode alone; its stream and background modes use the stored ones.
  const variables =
    deps.flavour === 'lfx'
      ? globals
      : request.mode === 'sync'
        ? new Map([...deps.stored, ...headerVariables(incoming), ...globals])
        : deps.stored;
  const run: WorkflowRun = { ...runOf(deps, stored, gone), request, variables };
  if (request.mode === 'stream') return streamJob(deps, run, outgoing);
  if (request.mode === 'background') {
    const job = startJob(run);
    deps.jobs.set(job.id, job);
    return sendJson(outgoing, 200, jobJson(job.id, stored.id, 'queued'));
  }
  refuseUnknownOutputs(
    request,
    stored.flow.nodes.filter((node) => node.type === 'ChatOutput').map((node) => node.id),
  );
  sendJson(outgoing, 200, workflowResponse(run, await finish(eventsOf(run, false))));
}

/** A stream is a job, too: it can be stopped by its id while its client still reads. */
async function streamJob(deps: RuntimeDeps, run: WorkflowRun, outgoing: ServerResponse): Promise<void> {
  const stopping = new AbortController();
  deps.streams.set(run.jobId, { stop: () => stopping.abort() });
  try {
    const signal = AbortSignal.any([run.signal, stopping.signal]);
    await streamRun({ ...run, signal }, outgoing, deps.keepaliveMs);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    outgoing.end();
  } finally {
    deps.streams.delete(run.jobId);
  }
}

/** `X-LANGFLOW-GLOBAL-VAR-<NAME>` headers; hyphens of the name are kept, letters become upper case. */
function headerVariables(incoming: IncomingMessage): (readonly [string, string])[] {
  const prefix = 'x-langflow-global-var-';
  return Object.entries(incoming.headers).flatMap(([name, value]) =>
    name.startsWith(prefix) && typeof value === 'string'
      ? [[name.slice(prefix.length).toUpperCase(), value] as const]
      : [],
  );
}

function findJob(deps: RuntimeDeps, id: unknown): Job {
  const job = deps.jobs.get(String(id));
  if (!job)
    throw new RequestRefusal(404, { error: 'Job not found', code: 'JOB_NOT_FOUND', job_id: String(id) });
  return job;
}

/** Stops a job, streamed or in the background; stopping an ended one changes nothing. */
export async function stopJob({ deps, incoming, outgoing }: Exchange): Promise<void> {
  const { job_id: id } = ((await readJson(incoming)) ?? {}) as { job_id?: unknown };
  deps.onStop(String(id));
  (deps.streams.get(String(id)) ?? findJob(deps, id)).stop();
  sendJson(outgoing, 200, { job_id: id, message: `Job ${String(id)} cancelled successfully.` });
}

/** Where a background job stands, or its answer. */
export function jobStatus({ deps, incoming, outgoing }: Exchange): void {
  const job = findJob(deps, new URL(incoming.url ?? '/', 'http://runtime').searchParams.get('job_id'));
  const response = job.response();
  sendJson(
    outgoing,
    200,
    job.status() === 'completed'
      ? response
      : { ...jobJson(job.id, '', job.status()), ...response, status: job.status() },
  );
}

/** Replays a job's frames and follows it to its end; ids begin at 1 here, and `Last-Event-ID` goes on after that one. */
export async function jobEvents({ deps, incoming, outgoing, id, gone }: Exchange): Promise<void> {
  const job = findJob(deps, id);
  outgoing.writeHead(200, streamHeaders(deps.flavour));
  let at = Number(incoming.headers['last-event-id'] ?? 0) || 0;
  for (;;) {
    const changed = job.changed();
    for (; at < job.frames.length; at += 1) outgoing.write(sseFrame(deps.flavour, at + 1, job.frames[at]!));
    if (job.status() !== 'in_progress') break;
    await Promise.race([
      changed,
      new Promise((resolve) => gone.addEventListener('abort', resolve, { once: true })),
    ]);
    gone.throwIfAborted();
  }
  outgoing.end();
}
