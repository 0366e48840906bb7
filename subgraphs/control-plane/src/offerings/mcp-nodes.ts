/** A field of a node's template, as far as the publish gate judges it. */
export interface Field {
  readonly type?: unknown;
  readonly value?: unknown;
  readonly password?: unknown;
  readonly load_from_db?: unknown;
  /** Of a group: the field of a node inside that this one replaces. */
  readonly proxy?: { readonly field?: unknown };
}

/** Where flows may call tools, and which. */
export interface ToolGateway {
  /** The tool gateway's MCP endpoint. */
  readonly url: string;
  /** Tool ids that the version requires of its connectors; undefined: not known, any may be named. */
  readonly tools: readonly string[] | undefined;
}

/** Fields of an MCP node that say which server is called how; all others are arguments of its tool. */
export const mcpFields: readonly string[] = [
  'mcp_server',
  'headers',
  'verify_ssl',
  'use_cache',
  'tool',
  'tool_execution_timeout',
  'code',
];

/** The one header a flow sends to the gateway. Elsewhere in a node it is rewritten or not sent. */
const authorization = 'Bearer {{RUNTOKEN}}';

/** What is wrong with a node that calls an MCP server; empty for all other nodes. */
export function mcpFaults(o: {
  type: string;
  template: Readonly<Record<string, Field | null>>;
  gateway: ToolGateway | undefined;
}): string[] {
  const { type, template, gateway } = o;
  const value = (field: string): unknown => template[field]?.value ?? undefined;
  const isMcp = /mcp/i.test(type) || 'mcp_server' in template || hasType(template, 'mcp');
  if (!isMcp) return [];
  if (
    'command' in recordOf(recordOf(value('mcp_server'))['config']) ||
    /stdio/i.test(`${type} ${modeOf(value('mode'))}`)
  )
    return ['an MCP server that starts a process is not allowed'];
  if (type !== 'MCPTools') return [`${type} is not allowed: tools are called by MCPTools nodes`];
  if (!gateway) return ['this store has no tool gateway'];
  const tool = value('tool') ?? '';
  return [
    ...serverFaults(value('mcp_server'), gateway),
    ...(isEmpty(value('headers')) ? [] : ['headers belong in mcp_server.config.headers']),
    ...((value('verify_ssl') ?? true) === true ? [] : ['verify_ssl must be true']),
    ...(mcpFields.some((field) => template[field]?.load_from_db === true)
      ? ['a variable may not choose the server or the tool']
      : []),
    ...(tool === '' || (gateway.tools ?? [tool]).some((one) => one === tool)
      ? []
      : [
          `the tool ${typeof tool === 'string' ? tool : 'that is no text'} is not among the connectors that the version requires`,
        ]),
  ];
}

/** Names are checked too: a member we do not know is one that nobody has judged. */
function serverFaults(server: unknown, gateway: ToolGateway): string[] {
  const { name, config, ...more } = recordOf(server);
  const { url, headers, mode = 'Streamable_HTTP', verify_ssl: verifies = true, ...others } = recordOf(config);
  const unknown = Object.keys({ ...more, ...others });
  const [[header, sent] = [], ...otherHeaders] = Object.entries(recordOf(headers));
  return [
    ...(typeof name === 'string' && name !== '' ? [] : ['mcp_server has no name']),
    ...(unknown.length ? [`mcp_server may not have ${unknown.join(', ')}`] : []),
    ...(url === gateway.url ? [] : [`mcp_server.config.url must be ${gateway.url}`]),
    ...(mode === 'Streamable_HTTP' ? [] : ['mcp_server.config.mode must be Streamable_HTTP']),
    ...(verifies === true ? [] : ['mcp_server.config.verify_ssl must be true']),
    ...(header?.toLowerCase() === 'authorization' && sent === authorization && !otherHeaders.length
      ? []
      : [`mcp_server.config.headers must be exactly {"Authorization": "${authorization}"}`]),
  ];
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};

const modeOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);

const hasType = (template: Readonly<Record<string, Field | null>>, type: string): boolean =>
  Object.values(template).some((field) => field?.type === type);
