import { randomUUID } from 'node:crypto';
import type { Exchange, RuntimeDeps } from './exchange.ts';
import { FlowError } from './flow.ts';
import type { FlowStore, StoredFlow } from './flows.store.ts';
import { readJson, sendJson } from './http.ts';
import { RequestRefusal } from './workflow-request.ts';

/** A flow as it is listed. */
export const flowMeta = (flow: StoredFlow): object => ({
  id: flow.id,
  relative_path: '<uploaded>',
  title: flow.name,
  description: flow.description,
});

/** lfx's upload: the client may give the id, once. */
export async function uploadFlow({ deps, incoming, outgoing }: Exchange): Promise<void> {
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
export async function createFlow({ deps, incoming, outgoing }: Exchange): Promise<void> {
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

/** Langflow's list of flows, as `header_flows=true` gives it: without what they are made of. */
export function listFlows({ deps, outgoing }: Exchange): void {
  const headers = deps.store.all().map(({ id, name, description }) => ({
    id,
    name,
    folder_id: null,
    is_component: false,
    endpoint_name: null,
    description,
    data: null,
  }));
  sendJson(outgoing, 200, headers);
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
