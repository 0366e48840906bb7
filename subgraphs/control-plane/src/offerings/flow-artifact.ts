import { literalKeyIn } from './literal-keys.ts';
import { mcpFaults, mcpFields, type Field, type ToolGateway } from './mcp-nodes.ts';

/** Limits of a flow artifact (Langflow flow JSON). */
export const artifactLimits = { maxBytes: 2_097_152, maxNodes: 200 };

/** Component types that a published flow may not contain, and why. */
const refusedTypes: Readonly<Record<string, string>> = {
  APIRequest: 'it echoes its request headers, credentials included, into the answer when a call fails',
  PythonREPLComponent: 'it runs code of the caller',
  PythonFunction: 'it runs code of the caller',
};

/** The variable that holds a run's token; nothing but the header of an MCP server may use it. */
const runToken = 'RUNTOKEN';

interface Level {
  readonly nodes?: unknown;
  readonly edges?: unknown;
}

interface Node {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly data?: {
    readonly type?: unknown;
    readonly node?: {
      readonly template?: Readonly<Record<string, unknown>>;
      /** Of a group: the flow it stands for. */
      readonly flow?: { readonly data?: Level };
    };
  };
}

/**
 * What keeps these bytes from being published as a flow, in words; empty when nothing does. Executing flow JSON is executing Python, so the gate
 * checks shape, size, component types, that no secret is written into it, and that its tools are called through `gateway` only; a store without
 * one refuses tools.
 */
export function artifactFaults(bytes: Buffer, gateway: ToolGateway | undefined): string[] {
  if (bytes.length > artifactLimits.maxBytes)
    return [`the artifact is larger than ${artifactLimits.maxBytes} bytes`];
  let flow: { data?: Level };
  try {
    flow = JSON.parse(bytes.toString('utf8')) as typeof flow;
  } catch {
    return ['the artifact is not JSON'];
  }
  if (!Array.isArray(flow?.data?.nodes)) return ['the artifact has no data.nodes'];
  const { nodes, edges } = withGroups(flow.data);
  if (nodes.length > artifactLimits.maxNodes)
    return [`the flow has more than ${artifactLimits.maxNodes} nodes`];
  const count = (type: string): number => nodes.filter((node) => node.data?.type === type).length;
  return [
    ...(count('ChatInput') === 1 ? [] : ['the flow must have exactly one ChatInput']),
    ...(count('ChatOutput') === 1 ? [] : ['the flow must have exactly one ChatOutput']),
    ...nodes.flatMap((node) => nodeFaults(node, gateway)),
    ...edges.flatMap(edgeFaults),
  ];
}

/** Every node that runs and every wire: those inside groups too, notes left out. Stops past the limit, which refuses the flow. */
function withGroups(flow: Level): { nodes: Node[]; edges: unknown[] } {
  const nodes: Node[] = [];
  const edges: unknown[] = [];
  const left: (Level | undefined)[] = [flow];
  while (left.length && nodes.length <= artifactLimits.maxNodes) {
    const level = left.pop();
    if (Array.isArray(level?.edges)) edges.push(...(level.edges as unknown[]));
    for (const node of Array.isArray(level?.nodes) ? (level.nodes as Node[]) : []) {
      if (node?.type === 'noteNode') continue;
      nodes.push(node ?? {});
      left.push(node?.data?.node?.flow?.data);
    }
  }
  return { nodes, edges };
}

function nodeFaults(node: Node, gateway: ToolGateway | undefined): string[] {
  const name = typeof node.id === 'string' ? node.id : 'a node';
  const type = typeof node.data?.type === 'string' ? node.data.type : '';
  if (!type) return [`${name} has no type`];
  const reason = refusedTypes[type];
  if (reason) return [`${name}: ${type} is not allowed: ${reason}`];
  const template = (node.data?.node?.template ?? {}) as Readonly<Record<string, Field | null>>;
  return [
    ...Object.entries(template).flatMap(([field, spec]) => fieldFaults(`${name}.${field}`, field, spec)),
    ...mcpFaults({ type, template, gateway }).map((fault) => `${name}: ${fault}`),
  ];
}

function fieldFaults(where: string, name: string, field: unknown): string[] {
  if (typeof field !== 'object' || field === null || name === 'code') return [];
  const { password, load_from_db: isNamed, value, proxy } = field as Field;
  if (proxy && mcpFields.includes(String(proxy.field)))
    return [`${where} replaces ${String(proxy.field)} of a node inside the group`];
  if (isNamed === true && value === runToken)
    return [`${where} takes the run's token out of the header it belongs to`];
  if (password === true && isNamed !== true && typeof value === 'string' && value !== '')
    return [`${where} holds a literal secret`];
  const kind = literalKeyIn(field);
  return kind === undefined ? [] : [`${where} holds a literal secret (${kind})`];
}

/** A wire's value takes the place of the template's, so none may end where a tool server or a tool is chosen. */
function edgeFaults(edge: unknown): string[] {
  const handle = (edge as { data?: { targetHandle?: unknown } } | null)?.data?.targetHandle;
  if (typeof handle !== 'object' || handle === null) return ['a wire does not say where it ends'];
  const { fieldName, field_name, name, proxy } = handle as Readonly<Record<string, unknown>>;
  const ends = [fieldName, field_name, name, (proxy as Field['proxy'])?.field];
  const fixed = mcpFields.find((field) => ends.includes(field));
  return fixed === undefined ? [] : [`a wire ends at ${fixed}, which only the flow itself may say`];
}
