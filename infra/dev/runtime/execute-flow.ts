import { randomUUID } from 'node:crypto';
import { ComponentError } from './component-error.ts';
import { components, type RunContext } from './components.ts';
import type { Flow, FlowNode } from './flow.ts';
import type { FlowEvent, NodeFailure, NodeResult } from './flow-events.ts';

/**
 * Walks a flow node by node and tells what happens. Stops at the first node that fails; a thrown abort of `context.signal` passes through, after
 * which nothing of the flow runs any more.
 */
export async function* executeFlow(flow: Flow, context: RunContext): AsyncGenerator<FlowEvent> {
  const startedAt = performance.now();
  const results = new Map<string, NodeResult>();
  yield { kind: 'sorted', nodes: flow.nodes };
  for (const node of flow.nodes) {
    const nodeStartedAt = performance.now();
    yield { kind: 'nodeStarted', node };
    try {
      const result = yield* components[node.type as keyof typeof components](node, {
        ...context,
        field: (name) => fieldOf({ flow, node, name, results, context }),
        upstream: (name) => upstreamOf(flow, node, name),
        result: (id) => results.get(id),
      });
      context.signal.throwIfAborted();
      results.set(node.id, result);
      const next = flow.edges.filter((edge) => edge.from === node.id).map((edge) => edge.to);
      yield { kind: 'nodeEnded', node, result, next, tookMs: performance.now() - nodeStartedAt };
    } catch (error) {
      context.signal.throwIfAborted();
      yield {
        kind: 'nodeFailed',
        node,
        failure: failureOf(error),
        tookMs: performance.now() - nodeStartedAt,
        timestamp: context.timestamp(),
        messageId: context.newMessageId(),
      };
      yield { kind: 'ended', failed: true, tookMs: performance.now() - startedAt };
      return;
    }
  }
  yield { kind: 'ended', failed: false, tookMs: performance.now() - startedAt };
}

function fieldOf(o: {
  flow: Flow;
  node: FlowNode;
  name: string;
  results: Map<string, NodeResult>;
  context: RunContext;
}): unknown {
  const edge = o.flow.edges.find(({ to, field }) => to === o.node.id && field === o.name);
  if (edge) {
    const result = o.results.get(edge.from);
    if (!result)
      throw new ComponentError({
        errorClass: 'ValueError',
        text: `${edge.from} has not run: the flow has a cycle`,
      });
    return result.value;
  }
  const field = o.node.template[o.name];
  if (!field?.load_from_db || typeof field.value !== 'string' || field.value === '') return field?.value;
  const value = o.context.variables.get(field.value);
  if (value === undefined && o.context.flavour === 'langflow')
    throw new ComponentError({
      errorClass: 'ValueError',
      text: `${field.value} variable not found.`,
      isMissingVariable: true,
    });
  return value;
}

const upstreamOf = (flow: Flow, node: FlowNode, field: string): FlowNode | undefined => {
  const edge = flow.edges.find((one) => one.to === node.id && one.field === field);
  return flow.nodes.find((one) => one.id === edge?.from);
};

function failureOf(error: unknown): NodeFailure {
  if (error instanceof ComponentError) return error.failure;
  const text = error instanceof Error ? error.message : String(error);
  return {
    text,
    errorClass: error instanceof Error ? error.name : 'Exception',
    detail: text,
    isMissingVariable: false,
  };
}

/** Ids as the two servers make them: lfx a nanoid of 21 characters, Langflow a UUID. */
export const messageIds = {
  lfx: (): string => Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').slice(0, 21),
  langflow: (): string => randomUUID(),
};
