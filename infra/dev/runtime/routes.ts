import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Flavour } from './components.ts';
import { FlowError } from './flow.ts';
import type { FlowStore, StoredFlow } from './flows.store.ts';
import { readJson, sendJson } from './http.ts';
import { jobJson, startJob, type Job } from './jobs.ts';
import type { ModelOptions } from './model.ts';
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

/** What the routes work with. */
export interface RuntimeDeps {
  readonly flavour: Flavour;
  readonly apiKey: string;
  readonly store: FlowStore;
  readonly jobs: Map<string, Job>;
  readonly model: ModelOptions;
  readonly keepaliveMs: number;
  /** Langflow's stored variables, which its stream mode uses instead of the request's globals. */
  readonly stored: ReadonlyMap<string, string>;
  readonly version: string;
}

interface Exchange {
  readonly deps: RuntimeDeps;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Captured part of the path: a flow's or a job's id. */
  readonly id: string;
  /** Aborts when the client closes the connection: that is how a run is cancelled. */
  readonly gone: AbortSignal;
}

type Route = readonly [
  method: string,
  path: RegExp,
  only: Flavour | 'both',
  open: boolean,
  handle: (exchange: Exchange) => Promise<void> | void,
];

const routes: readonly Route[] = [
  [
    'GET',
    /^\/health$/,
    'both',
    true,
    ({ deps, outgoing }) =>
      sendJson(
        outgoing,
        200,
        deps.flavour === 'lfx'
          ? { status: 'healthy', flow_count: deps.store.all().length }
          : { status: 'ok' },
      ),
  ],
  [
    'GET',
    /^\/health_check$/,
    'langflow',
    true,
    ({ outgoing }) => sendJson(outgoing, 200, { status: 'ok', chat: 'ok', db: 'ok' }),
  ],
  [
    'GET',
    /^\/api\/v1\/version$/,
    'langflow',
    true,
    ({ deps, outgoing }) =>
      sendJson(outgoing, 200, { version: deps.version, main_version: deps.version, package: 'Langflow' }),
  ],
  [
    'GET',
    /^\/flows$/,
    'lfx',
    false,
    ({ deps, outgoing }) => sendJson(outgoing, 200, deps.store.all().map(flowMeta)),
  ],
  ['POST', /^\/flows\/upload\/$/, 'both', false, uploadFlow],
  [
    'GET',
    /^\/flows\/([^/]+)\/info$/,
    'both',
    false,
    ({ deps, outgoing, id }) => sendJson(outgoing, 200, flowMeta(findFlow(deps, id))),
  ],
  [
    'DELETE',
    /^\/flows\/([^/]+)$/,
    'both',
    false,
    async ({ deps, outgoing, id }) => {
      findFlow(deps, id);
      await deps.store.remove(id);
      outgoing.writeHead(204).end();
    },
  ],
  ['POST', /^\/flows\/([^/]+)\/run$/, 'lfx', false, runFlow],
  ['POST', /^\/api\/v2\/workflows$/, 'both', false, runWorkflow],
  ['POST', /^\/api\/v1\/flows\/$/, 'langflow', false, createFlow],
  ['POST', /^\/api\/v2\/workflows\/stop$/, 'langflow', false, stopJob],
  ['GET', /^\/api\/v2\/workflows$/, 'langflow', false, jobStatus],
  ['GET', /^\/api\/v2\/workflows\/([^/]+)\/events$/, 'langflow', false, jobEvents],
];

/** Answers one request; refusals become `{detail}` with their status. */
export async function answer(
  deps: RuntimeDeps,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://runtime');
  outgoing.setHeader('server', 'uvicorn');
  const aborting = new AbortController();
  outgoing.once('close', () => aborting.abort());
  try {
    const route = routes.find(
      ([method, path, only]) =>
        method === incoming.method && path.test(url.pathname) && (only === 'both' || only === deps.flavour),
    );
    if (!route) throw new RequestRefusal(404, 'Not Found');
    const [, path, , isOpen, handle] = route;
    if (!isOpen)
      authenticate(deps.apiKey, incoming.headers['x-api-key'] ?? url.searchParams.get('x-api-key'));
    await handle({ deps, incoming, outgoing, id: path.exec(url.pathname)?.[1] ?? '', gone: aborting.signal });
  } catch (error) {
    if (aborting.signal.aborted) return;
    if (!(error instanceof RequestRefusal)) throw error;
    sendJson(outgoing, error.status, { detail: error.detail });
  }
}

function authenticate(apiKey: string, given: string | string[] | null): void {
  if (typeof given !== 'string' || given === '') throw new RequestRefusal(401, 'API key required');
  const [a, b] = [Buffer.from(given), Buffer.from(apiKey)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new RequestRefusal(401, 'Invalid API key');
}

function findFlow(deps: RuntimeDeps, id: string): StoredFlow {
  const found = deps.store.get(id);
  if (!found) throw new RequestRefusal(404, { error: 'flow not found', flow_id: id });
  return found;
}

const flowMeta = (flow: StoredFlow): object => ({
  id: flow.id,
  relative_path: '<uploaded>',
  title: flow.name,
  description: flow.description,
});

async function uploadFlow({ deps, incoming, outgoing }: Exchange): Promise<void> {
  const body = ((await readJson(incoming)) ?? {}) as {
    id?: unknown;
    name?: unknown;
    description?: unknown;
    data?: unknown;
    replace?: unknown;
  };
  const faults: object[] = [];
  for (const field of ['name', 'data'] as const)
    if (body[field] === undefined)
      faults.push({ type: 'missing', loc: ['body', field], msg: 'Field required', input: body });
  if (body.id !== undefined && body.id !== null && !isUuid(body.id))
    faults.push({
      type: 'value_error',
      loc: ['body', 'id'],
      msg: `Value error, id must be a valid UUID, got '${typeof body.id === 'string' ? body.id : JSON.stringify(body.id)}'`,
      input: body.id,
      ctx: { error: {} },
    });
  if (faults.length) throw new RequestRefusal(422, faults);
  const id = typeof body.id === 'string' ? body.id.toLowerCase() : randomUUID();
  if (body.replace !== true && deps.store.get(id))
    throw new RequestRefusal(409, `Flow '${id}' already exists. Pass replace=true to overwrite.`);
  const description = typeof body.description === 'string' ? body.description : null;
  const flow = await buildFlow(deps, { id, name: String(body.name), description, data: body.data });
  sendJson(outgoing, 201, { id, name: flow.name, description, run_url: `/flows/${id}/run` });
}

/** Langflow's own way to make a flow; the server gives the id. */
async function createFlow({ deps, incoming, outgoing }: Exchange): Promise<void> {
  const body = ((await readJson(incoming)) ?? {}) as {
    name?: string;
    description?: string | null;
    data?: unknown;
    endpoint_name?: string | null;
  };
  const { name = 'Untitled', description = null, data, endpoint_name = null } = body;
  const flow = await buildFlow(deps, { id: randomUUID(), name, description, data });
  sendJson(outgoing, 201, {
    name: flow.name,
    description,
    icon: null,
    icon_bg_color: null,
    gradient: null,
    data,
    is_component: false,
    updated_at: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
    webhook: false,
    endpoint_name,
    tags: null,
    locked: false,
    mcp_enabled: false,
    action_name: null,
    action_description: null,
    access_type: 'PRIVATE',
    flow_type: 'workflow',
    a2a_enabled: false,
    a2a_card_overrides: null,
    id: flow.id,
    user_id: randomUUID(),
    folder_id: randomUUID(),
    workspace_id: null,
    name_key: null,
    version_token: randomUUID(),
  });
}

async function buildFlow(deps: RuntimeDeps, upload: Parameters<FlowStore['put']>[0]): Promise<StoredFlow> {
  try {
    return await deps.store.put(upload);
  } catch (error) {
    if (error instanceof FlowError) throw new RequestRefusal(422, `Invalid flow data: ${error.message}`);
    throw error;
  }
}

const isUuid = (value: unknown): boolean =>
  typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);

async function runFlow({ deps, incoming, outgoing, id, gone }: Exchange): Promise<void> {
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

async function runWorkflow({ deps, incoming, outgoing, gone }: Exchange): Promise<void> {
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
  if (request.mode === 'stream') return streamRun(run, outgoing, deps.keepaliveMs);
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

async function stopJob({ deps, incoming, outgoing }: Exchange): Promise<void> {
  const { job_id: id } = ((await readJson(incoming)) ?? {}) as { job_id?: unknown };
  findJob(deps, id).stop();
  sendJson(outgoing, 200, { job_id: id, message: `Job ${String(id)} cancelled successfully.` });
}

function jobStatus({ deps, incoming, outgoing }: Exchange): void {
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
async function jobEvents({ deps, incoming, outgoing, id, gone }: Exchange): Promise<void> {
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
