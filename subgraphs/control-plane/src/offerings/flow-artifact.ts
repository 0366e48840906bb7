/** Limits of a flow artifact (Langflow flow JSON). */
export const artifactLimits = { maxBytes: 2_097_152, maxNodes: 200 };

/** Component types that a published flow may not contain, and why. */
const refusedTypes: Readonly<Record<string, string>> = {
  APIRequest: 'it echoes its request headers, credentials included, into the answer when a call fails',
  PythonREPLComponent: 'it runs code of the caller',
  PythonFunction: 'it runs code of the caller',
  MCPStdio: 'it starts a process',
};

interface Node {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly data?: {
    readonly type?: unknown;
    readonly node?: {
      readonly template?: Readonly<Record<string, unknown>>;
      /** Of a group: the flow it stands for. */
      readonly flow?: { readonly data?: { readonly nodes?: unknown } };
    };
  };
}

/**
 * What keeps these bytes from being published as a flow, in words; empty when nothing does. Executing flow JSON is executing Python, so the gate
 * checks shape, size, component types, and that no secret is written into it.
 */
export function artifactFaults(bytes: Buffer): string[] {
  if (bytes.length > artifactLimits.maxBytes)
    return [`the artifact is larger than ${artifactLimits.maxBytes} bytes`];
  let flow: { data?: { nodes?: unknown } };
  try {
    flow = JSON.parse(bytes.toString('utf8')) as typeof flow;
  } catch {
    return ['the artifact is not JSON'];
  }
  const all = flow?.data?.nodes;
  if (!Array.isArray(all)) return ['the artifact has no data.nodes'];
  const nodes = withGroups(all);
  if (nodes.length > artifactLimits.maxNodes)
    return [`the flow has more than ${artifactLimits.maxNodes} nodes`];
  const count = (type: string): number => nodes.filter((node) => node.data?.type === type).length;
  return [
    ...(count('ChatInput') === 1 ? [] : ['the flow must have exactly one ChatInput']),
    ...(count('ChatOutput') === 1 ? [] : ['the flow must have exactly one ChatOutput']),
    ...nodes.flatMap(nodeFaults),
  ];
}

/** Every node that runs: those inside groups too, notes left out. Stops past the limit, which refuses the flow. */
function withGroups(nodes: unknown): Node[] {
  const found: Node[] = [];
  const left = [nodes];
  while (left.length && found.length <= artifactLimits.maxNodes) {
    const level = left.pop();
    for (const node of Array.isArray(level) ? (level as Node[]) : []) {
      if (node?.type === 'noteNode') continue;
      found.push(node ?? {});
      left.push(node?.data?.node?.flow?.data?.nodes);
    }
  }
  return found;
}

function nodeFaults(node: Node): string[] {
  const name = typeof node.id === 'string' ? node.id : 'a node';
  const type = typeof node.data?.type === 'string' ? node.data.type : '';
  if (!type) return [`${name} has no type`];
  const reason = refusedTypes[type];
  if (reason) return [`${name}: ${type} is not allowed: ${reason}`];
  return Object.entries(node.data?.node?.template ?? {}).flatMap(([field, spec]) => {
    if (typeof spec !== 'object' || spec === null) return [];
    const {
      password,
      load_from_db: named,
      value,
    } = spec as { password?: unknown; load_from_db?: unknown; value?: unknown };
    if (password === true && named !== true && typeof value === 'string' && value !== '')
      return [`${name}.${field} holds a literal secret`];
    if (
      (field === 'mcp_server' && JSON.stringify(value ?? '').includes('"command"')) ||
      (field === 'mode' && type.startsWith('MCP') && /^stdio$/i.test(String(value as string)))
    )
      return [`${name}: an MCP server that starts a process is not allowed`];
    return [];
  });
}
