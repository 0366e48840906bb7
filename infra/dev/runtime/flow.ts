/** A field of a component's template: its value, and whether the value is the name of a variable. */
export interface TemplateField {
  readonly value?: unknown;
  readonly load_from_db?: boolean;
}

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly displayName: string;
  readonly template: Readonly<Record<string, TemplateField>>;
}

/** A wire from an output of one node to a field of another. */
export interface FlowEdge {
  readonly from: string;
  readonly output: string;
  readonly to: string;
  readonly field: string;
}

/** Flow JSON that this runtime can walk: nodes in an order in which every node comes after those that feed it. */
export interface Flow {
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
}

/** Flow JSON that lfx refuses at upload, in lfx's words (the text after `Invalid flow data: `). */
export class FlowError extends Error {}

/** Component types this runtime executes; every other type is refused at upload, as lfx does in restricted mode with types it does not know. */
export const componentTypes = [
  'ChatInput',
  'ChatOutput',
  'Prompt Template',
  'Prompt',
  'OpenAIModel',
  'MCPTools',
] as const;
export type ComponentType = (typeof componentTypes)[number];

interface RawNode {
  readonly id?: string;
  readonly type?: string;
  readonly data?: {
    readonly id?: string;
    readonly type?: string;
    readonly node?: { readonly display_name?: string; readonly template?: Record<string, TemplateField> };
  };
}

interface RawEdge {
  readonly source?: string;
  readonly target?: string;
  readonly data?: {
    readonly sourceHandle?: { readonly name?: string };
    readonly targetHandle?: { readonly fieldName?: string };
  };
}

/** Reads a flow's `data` member. Node code is never looked at: as in lfx's restricted mode, a type stands for the component installed here. */
export function parseFlow(data: unknown): Flow {
  const { nodes: rawNodes, edges: rawEdges } = (data ?? {}) as { nodes?: unknown; edges?: unknown };
  if (!Array.isArray(rawNodes) || !Array.isArray(rawEdges)) {
    const found = Object.keys((data ?? {}) as object).map((name) => `'${name}'`);
    throw new FlowError(`Invalid payload. Expected keys 'nodes' and 'edges'. Found [${found.join(', ')}]`);
  }
  const nodes = (rawNodes as RawNode[]).filter((node) => node?.type !== 'noteNode').map(parseNode);
  const unknown = nodes.filter((node) => !(componentTypes as readonly string[]).includes(node.type));
  if (unknown.length)
    throw new FlowError(
      `Flow build blocked: custom components are not allowed: ${unknown.map((node) => `${node.displayName} (${node.id})`).join(', ')}`,
    );
  const edges = (rawEdges as RawEdge[]).map((edge): FlowEdge => {
    for (const id of [edge.source, edge.target])
      if (!nodes.some((node) => node.id === id)) throw new FlowError(`Vertex ${String(id)} not found`);
    return {
      from: edge.source!,
      output: edge.data?.sourceHandle?.name ?? '',
      to: edge.target!,
      field: edge.data?.targetHandle?.fieldName ?? '',
    };
  });
  return { nodes: sort(nodes, edges), edges };
}

function parseNode(raw: RawNode): FlowNode {
  if (!raw?.data) throw new FlowError("Error while creating graph from payload: 'data'");
  const { node, type = '' } = raw.data;
  const id = raw.id ?? raw.data.id ?? '';
  const template = node?.template;
  if (!template) throw new FlowError("Error while creating graph from payload: 'template'");
  if (!template['code']) throw new FlowError("Error while creating graph from payload: 'code'");
  if (!template['code'].value)
    throw new FlowError('Error while creating graph from payload: No Component subclass found');
  return { id, type, displayName: node.display_name ?? type, template };
}

/** Kahn's order, stable. Nodes in a cycle come last: they fail when run, which lfx does, too. */
function sort(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): FlowNode[] {
  const sorted: FlowNode[] = [];
  const rest = [...nodes];
  while (rest.length) {
    const free = rest.findIndex(
      (node) => !edges.some((edge) => edge.to === node.id && rest.some((other) => other.id === edge.from)),
    );
    sorted.push(...rest.splice(Math.max(free, 0), 1));
  }
  return sorted;
}
