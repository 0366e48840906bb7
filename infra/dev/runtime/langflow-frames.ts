import type { FlowNode } from './flow.ts';
import type { FlowEvent, NodeResult } from './flow-events.ts';
import { buildError, errorMessageJson, messageJson, traceback, type RunFacts } from './messages.ts';
import { pythonJson } from './python-json.ts';

/** Turns what happens in a flow into the JSON texts of an event stream. Stateful: one per run. */
export type FrameEncoder = (event: FlowEvent) => string[];

const frame = (event: string, data: unknown): string => pythonJson({ event, data });

/** The `langflow` protocol as `lfx serve` 1.13 speaks it: no answer but the last message, a failure is two `error` frames and no `end`. */
export function lfxFrames(run: RunFacts): FrameEncoder {
  return (event) => {
    switch (event.kind) {
      case 'sorted':
        return [];
      case 'nodeStarted':
        return run.exposeState ? [frame('build_start', { id: event.node.id })] : [];
      case 'message':
        return [frame('add_message', messageJson(event.message, run, { inResult: false }))];
      case 'token':
        return [frame('token', { chunk: event.chunk, id: event.messageId })];
      case 'nodeEnded':
        return run.exposeState
          ? [frame('end_vertex', { build_data: lfxBuildData(event.node, event.result, run) })]
          : [];
      case 'nodeFailed': {
        const { node, failure, messageId, timestamp } = event;
        return [
          frame('error', errorMessageJson({ node, failure, id: messageId, timestamp }, run)),
          frame('error', { error: buildError(node, failure) }),
        ];
      }
      case 'ended':
        return event.failed ? [] : [frame('end', {})];
    }
  };
}

/** What a node made, in lfx's words; AG-UI's state deltas carry its `data`. */
export const lfxBuildData = (
  node: FlowNode,
  result: NodeResult,
  run: RunFacts,
): { id: string; valid: true; data: object } => ({
  id: node.id,
  valid: true,
  data: {
    ...nodeData(node, result, run),
    messages: isChat(result)
      ? [
          {
            ...chatArtifact(result, 'text'),
            session_id: run.sessionId,
            stream_url: null,
            component_id: node.id,
          },
        ]
      : [],
    timedelta: null,
    duration: null,
    component_display_name: node.displayName,
    component_id: node.id,
    used_frozen_result: false,
    token_usage: result.usage,
  },
});

/** Chat nodes report their message; a model's message is told by `add_message` alone. */
const isChat = (result: NodeResult): boolean => result.output === 'message';

const chatArtifact = (result: NodeResult, type: string): Record<string, unknown> => ({
  message: result.message!.text.replace(/(?<!\n)\n(?!\n)/g, '\n\n'), // as Markdown wants a line break
  sender: result.message!.sender,
  sender_name: result.message!.senderName,
  files: [],
  type,
});

function nodeData(
  node: FlowNode,
  result: NodeResult,
  run: RunFacts,
): { results: object; artifacts: object; outputs: object; logs: object } {
  const type = Array.isArray(result.value) ? 'array' : 'text';
  const outputs: Record<string, unknown> = { [result.output]: { message: result.value, type } };
  if (node.type === 'OpenAIModel') outputs['model_output'] = { message: '', type: 'unknown' };
  const logs = { [result.output]: [] };
  if (isChat(result))
    return {
      results: { message: messageJson(result.message!, run, { inResult: true }) },
      artifacts: chatArtifact(result, 'object'),
      outputs,
      logs,
    };
  const repr = Array.isArray(result.value) ? 'None' : result.value;
  return { results: {}, artifacts: { [result.output]: { repr, raw: result.value, type } }, outputs, logs };
}

/**
 * The `langflow` protocol as the Langflow 1.13 backend speaks it: `output` carries the answer, every run ends with `end`, a failed one after one
 * `error`, or without any when a variable is missing.
 */
export function backendFrames(run: RunFacts): FrameEncoder {
  let started = false;
  const outputs: string[] = [];
  return (event) => {
    switch (event.kind) {
      case 'sorted':
        return run.exposeState
          ? [
              frame('vertices_sorted', {
                ids: event.nodes.slice(0, 1).map((node) => node.id),
                to_run: event.nodes.map((node) => node.id),
              }),
            ]
          : [];
      case 'nodeStarted':
        if (started) return [];
        started = true;
        return [frame('build_start', {})];
      case 'message':
        return [frame('add_message', messageJson(event.message, run, { inResult: false }))];
      case 'token':
        return [frame('token', { chunk: event.chunk, id: event.messageId })];
      case 'nodeEnded': {
        const { node, result, next, tookMs } = event;
        if (node.type === 'ChatOutput')
          outputs.push(frame('output', { ...outputJson(node, result), component_id: node.id }));
        if (!run.exposeState) return [];
        const { results, artifacts, outputs: made, logs } = nodeData(node, result, run);
        const data = {
          results,
          outputs: made,
          logs,
          message: artifacts,
          artifacts,
          ...timing(tookMs),
          used_frozen_result: false,
          token_usage: result.usage,
        };
        return [frame('end_vertex', endVertex({ node, next, valid: true, params: paramsOf(result), data }))];
      }
      case 'nodeFailed': {
        const { node, failure, messageId, timestamp, tookMs } = event;
        const error = failure.isMissingVariable
          ? []
          : [frame('error', errorMessageJson({ node, failure, id: messageId, timestamp }, run))];
        if (!run.exposeState) return error;
        const params = buildError(node, failure);
        const output = node.type === 'OpenAIModel' ? 'text_output' : 'message';
        const data = {
          results: {},
          outputs: {
            [output]: { message: { errorMessage: params, stackTrace: traceback(failure) }, type: 'error' },
          },
          logs: {},
          message: {},
          artifacts: {},
          ...timing(tookMs),
          used_frozen_result: false,
          token_usage: null,
        };
        return [...error, frame('end_vertex', endVertex({ node, next: [], valid: false, params, data }))];
      }
      case 'ended':
        return [...(event.failed ? [] : outputs), frame('end', { build_duration: event.tookMs / 1_000 })];
    }
  };
}

/** A Chat Output in the answer of a run. */
export const outputJson = (node: FlowNode, result: NodeResult): Record<string, unknown> => ({
  type: 'message',
  status: 'completed',
  display_name: node.displayName,
  content: result.message?.text ?? '',
  metadata: { component_type: node.type },
});

const timing = (tookMs: number): object => ({
  timedelta: tookMs / 1_000,
  duration: tookMs < 1_000 ? `${Math.round(tookMs)} ms` : `${(tookMs / 1_000).toFixed(1)} seconds`,
});

const endVertex = (o: {
  node: FlowNode;
  next: readonly string[];
  valid: boolean;
  params: string;
  data: object;
}): object => ({
  build_data: {
    id: o.node.id,
    inactivated_vertices: [],
    next_vertices_ids: o.next,
    top_level_vertices: o.next,
    valid: o.valid,
    params: o.params,
    data: o.data,
    timestamp: new Date().toISOString(),
  },
  output_meta: {
    component_id: o.node.id,
    display_name: o.node.displayName,
    vertex_type: o.node.type,
    is_output: o.node.type === 'ChatOutput',
    is_terminal: o.node.type === 'ChatOutput',
    output_types: ['Message'],
  },
});

const paramsOf = (result: NodeResult): string =>
  isChat(result)
    ? `- Files: []\n  Message: ${result.message!.text}\n  Sender: ${result.message!.sender}\n  Sender Name: ${result.message!.senderName}\n  Type: object\n`
    : 'None';
