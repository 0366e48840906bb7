import type { Flavour } from './components.ts';

/** The body of `POST /api/v2/workflows`, checked. */
export interface WorkflowRequest {
  readonly flow_id: string;
  readonly input_value: string;
  readonly session_id: string | null;
  readonly mode: 'sync' | 'stream' | 'background';
  readonly stream_protocol: string;
  readonly expose_graph_state: boolean | null;
  readonly globals: Readonly<Record<string, string>>;
  readonly output_ids: readonly string[] | null;
  /** Fields that only the backend honours and that were given. */
  readonly overrides: readonly string[];
}

interface Fault {
  readonly type: string;
  readonly loc: readonly string[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: object;
}

/** A refused request: the answer's status and `detail`. */
export class RequestRefusal extends Error {
  readonly status: number;
  readonly detail: unknown;
  constructor(status: number, detail: unknown) {
    super(typeof detail === 'string' ? detail : 'refused');
    this.status = status;
    this.detail = detail;
  }
}

const overrideFields = ['tweaks', 'data', 'files', 'start_component_id', 'stop_component_id'];
const known = [
  'flow_id',
  'input_value',
  'session_id',
  'mode',
  'stream_protocol',
  'expose_graph_state',
  'globals',
  'output_ids',
  'idempotency_key',
  ...overrideFields,
];
const modes = ['sync', 'stream', 'background'];

/** Reads the body, or throws 422 with pydantic's list of faults. An unknown field is a fault: the schema forbids extras. */
export function parseWorkflowRequest(body: unknown): WorkflowRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RequestRefusal(422, [
      {
        type: 'model_attributes_type',
        loc: ['body'],
        msg: 'Input should be a valid dictionary or object to extract fields from',
        input: body ?? null,
      },
    ]);
  const given = body as Record<string, unknown>;
  const faults: Fault[] = [];
  const fault = (field: string, type: string, msg: string, ctx?: object): void => {
    faults.push({ type, loc: ['body', field], msg, input: given[field], ...(ctx ? { ctx } : {}) });
  };
  const isText = (field: string, optional: boolean): void => {
    const value = given[field];
    if (value !== undefined && typeof value !== 'string' && !(optional && value === null))
      fault(field, 'string_type', 'Input should be a valid string');
  };
  if (given['flow_id'] === undefined)
    faults.push({ type: 'missing', loc: ['body', 'flow_id'], msg: 'Field required', input: given });
  isText('flow_id', false);
  isText('input_value', false);
  isText('session_id', true);
  isText('stream_protocol', false);
  if (given['mode'] !== undefined && !modes.includes(given['mode'] as string))
    fault('mode', 'enum', "Input should be 'sync', 'stream' or 'background'", {
      expected: "'sync', 'stream' or 'background'",
    });
  const globals = given['globals'] ?? {};
  if (typeof globals !== 'object' || Array.isArray(globals))
    fault('globals', 'dict_type', 'Input should be a valid dictionary');
  else
    for (const [name, value] of Object.entries(globals)) {
      const loc = ['body', 'globals', name];
      if (typeof value !== 'string')
        faults.push({ type: 'string_type', loc, msg: 'Input should be a valid string', input: value });
      else if (value.length > 65_536)
        faults.push({
          type: 'string_too_long',
          loc,
          msg: 'String should have at most 65536 characters',
          input: value,
        });
    }
  for (const field of Object.keys(given))
    if (!known.includes(field)) fault(field, 'extra_forbidden', 'Extra inputs are not permitted');
  if (faults.length) throw new RequestRefusal(422, faults);
  return {
    flow_id: given['flow_id'] as string,
    input_value: (given['input_value'] as string | undefined) ?? '',
    session_id: (given['session_id'] as string | null | undefined) ?? null,
    mode: (given['mode'] as WorkflowRequest['mode'] | undefined) ?? 'sync',
    stream_protocol: (given['stream_protocol'] as string | undefined) ?? 'langflow',
    expose_graph_state: (given['expose_graph_state'] as boolean | null | undefined) ?? null,
    globals: globals as Record<string, string>,
    output_ids: (given['output_ids'] as string[] | null | undefined) ?? null,
    overrides: overrideFields.filter((field) => !isEmpty(given[field])),
  };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

/** Refuses what a known flow cannot be asked in this flavour; the protocol is checked before the flow is looked for. */
export function refuseUnsupported(request: WorkflowRequest, flavour: Flavour): void {
  if (flavour !== 'lfx') return;
  if (request.overrides.length)
    throw new RequestRefusal(422, {
      error: 'Unsupported request fields',
      code: 'LFX_SERVE_UNSUPPORTED_FIELDS',
      message: `This runtime does not support these v2 fields yet: ${request.overrides.join(', ')}. Use the langflow backend for live-data overrides, tweaks, files, or partial-run boundaries.`,
      fields: request.overrides,
    });
  if (request.mode === 'background')
    throw new RequestRefusal(422, {
      error: 'Unsupported mode',
      code: 'LFX_SERVE_UNSUPPORTED_MODE',
      message:
        "This runtime supports mode 'sync' and 'stream'. Background runs need the langflow backend (durable jobs + queue).",
    });
}

/** Refuses a protocol that is neither `langflow` nor `agui`. */
export function refuseUnknownProtocol(request: WorkflowRequest): void {
  if (['agui', 'langflow'].includes(request.stream_protocol)) return;
  throw new RequestRefusal(422, {
    error: 'Unknown stream_protocol',
    code: 'UNKNOWN_STREAM_PROTOCOL',
    message: `Unknown stream_protocol '${request.stream_protocol}'.`,
    available: ['agui', 'langflow'],
  });
}

/** Refuses output ids that the flow does not have. */
export function refuseUnknownOutputs(request: WorkflowRequest, available: readonly string[]): void {
  const unknown = (request.output_ids ?? []).filter((id) => !available.includes(id));
  if (!unknown.length) return;
  throw new RequestRefusal(422, {
    error: 'Unknown output_ids',
    code: 'UNKNOWN_OUTPUT_IDS',
    message: `output_ids not produced by this flow: [${unknown.map((id) => `'${id}'`).join(', ')}].`,
    available,
  });
}
