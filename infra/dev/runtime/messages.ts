import type { Flavour } from './components.ts';
import type { FlowNode } from './flow.ts';
import type { Message, MessageSource, NodeFailure, Usage } from './flow-events.ts';

/** What every message of a run carries. */
export interface RunFacts {
  readonly flavour: Flavour;
  readonly flowId: string;
  readonly sessionId: string;
  /** The graph's run id, not the id in AG-UI frames. */
  readonly runId: string;
  /** false: component ids and inner outputs stay inside (`expose_graph_state`). */
  readonly exposeState: boolean;
}

const properties = (o: {
  source: MessageSource | null;
  icon: string | null;
  state: string;
  usage: Usage | null;
  color?: string;
}): Record<string, unknown> => ({
  text_color: o.color ?? null,
  background_color: o.color ?? null,
  edited: false,
  source: o.source ?? { id: null, display_name: null, source: null },
  icon: o.icon,
  allow_markdown: false,
  positive_feedback: null,
  state: o.state,
  targets: [],
  usage: o.usage,
  build_duration: null,
});

const textBlock = (text: string): object => ({
  type: 'text',
  id: null,
  duration: null,
  header: {},
  contents: [],
  text,
});

/** A message as `add_message` carries it: the fields twice, once inside `data`. In a node's result lfx leaves the outer id out. */
export function messageJson(
  message: Message,
  run: RunFacts,
  o: { inResult: boolean },
): Record<string, unknown> {
  const shown = properties({
    source: run.exposeState ? message.source : null,
    icon: message.origin === 'model' ? 'OpenAI' : null,
    state: message.state,
    usage: message.usage,
  });
  // A text block is made when a model's answer is written to the message; Langflow does so only in the final result.
  const isModelText = message.origin === 'model' || message.usage !== null;
  const hasBlock = isModelText && message.state === 'complete' && (run.flavour === 'lfx' || o.inResult);
  const session = run.flavour === 'lfx' ? null : { graph_run_id: run.runId };
  const common = {
    session_id: run.sessionId,
    context_id: '',
    files: [],
    run_id: run.runId,
    timestamp: message.timestamp,
    flow_id: run.flowId,
    error: false,
    edit: false,
    category: 'message',
    duration: null,
    session_metadata: session,
  };
  const isLfxModel = run.flavour === 'lfx' && message.origin === 'model';
  const data = {
    text: message.text,
    sender: message.sender,
    sender_name: message.senderName,
    ...common,
    properties: isLfxModel ? { icon: 'OpenAI', state: 'partial' } : shown,
    content_blocks: [],
    ...(isLfxModel ? { _text_stream: 'Unconsumed Stream' } : {}),
    id: message.id,
  };
  return {
    text_key: 'text',
    data,
    default_value: '',
    sender: message.sender,
    sender_name: message.senderName,
    ...common,
    properties: shown,
    content_blocks: hasBlock ? [textBlock(message.text)] : [],
    text: message.text,
    ...(o.inResult ? {} : { id: message.id }),
  };
}

/** An `error` event's message. It carries a traceback with file paths, as the real ones do: readers must not pass it on. */
export function errorMessageJson(
  o: { node: FlowNode; failure: NodeFailure; id: string; timestamp: string },
  run: RunFacts,
): Record<string, unknown> {
  const { node, failure } = o;
  const text = `${failure.text}\n`;
  const isLfx = run.flavour === 'lfx';
  const reason = failure.errorClass === 'OpenAIAPIError' ? failure.text : `Details: ${failure.text}`;
  const cause = {
    type: 'error',
    duration: null,
    header: {},
    component: node.displayName,
    field: null,
    reason: `**${failure.errorClass}**\n - **${reason}**\n`,
    solution: null,
    code: null,
    traceback: traceback(failure),
  };
  const ending = { title: 'Error', allow_markdown: true, media_url: null };
  const group = {
    type: 'group',
    id: null,
    duration: null,
    header: {},
    contents: [{ ...cause, id: null, contents: [] }],
    ...ending,
  };
  const blocks = isLfx ? [textBlock(text), group] : [group];
  const common = {
    sender: node.displayName,
    sender_name: node.displayName,
    session_id: run.sessionId,
    context_id: null,
    files: [],
    run_id: run.runId,
    timestamp: o.timestamp,
    flow_id: run.flowId,
    error: isLfx,
    edit: false,
    properties: properties({
      source: run.exposeState
        ? { id: node.id, display_name: node.displayName, source: node.displayName }
        : null,
      icon: 'error',
      state: 'complete',
      usage: null,
      color: 'red',
    }),
    category: 'error',
    duration: null,
    session_metadata: isLfx ? null : { graph_run_id: run.runId },
    text,
    id: o.id,
  };
  return {
    text_key: 'text',
    data: { ...common, content_blocks: isLfx ? blocks : [{ contents: [cause], ...ending }] },
    default_value: '',
    ...common,
    content_blocks: blocks,
  };
}

/** A Python-like traceback; the path stands for what must never reach a buyer. */
export const traceback = (failure: NodeFailure): string =>
  `Traceback (most recent call last):\n  File "/srv/runtime/site-packages/lfx/custom/custom_component/component.py", line 1, in _build_results\n    result = await self._get_output_result(output)\n${failure.errorClass}: ${failure.detail}\n`;

/** The sentence that names the failing component. */
export const buildError = (node: FlowNode, failure: NodeFailure): string =>
  `Error building Component ${node.displayName}: \n\n${failure.detail}`;
