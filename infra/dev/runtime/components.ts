import { ComponentError } from './component-error.ts';
import { markdownTable, plainTable } from './data-frame.ts';
import type { FlowNode } from './flow.ts';
import type { FlowEvent, Message, NodeResult, Usage } from './flow-events.ts';
import { callTool, resolveHeader } from './mcp.ts';
import { chat, type ModelOptions } from './model.ts';

/** Which of the two servers the runtime plays: `lfx serve` or the Langflow backend. */
export type Flavour = 'lfx' | 'langflow';

/** One run's surroundings. */
export interface RunContext {
  readonly flavour: Flavour;
  readonly input: string;
  /** false in sync mode: models then answer whole, and no token is told. */
  readonly streaming: boolean;
  readonly variables: ReadonlyMap<string, string>;
  readonly model: ModelOptions;
  readonly signal: AbortSignal;
  readonly newMessageId: () => string;
  readonly timestamp: () => string;
}

/** A run's surroundings as one node sees them. */
export interface NodeContext extends RunContext {
  /** Value of a field: of the wire that ends there, else of the variable it names, else the template's. */
  readonly field: (name: string) => unknown;
  readonly upstream: (field: string) => FlowNode | undefined;
  readonly result: (nodeId: string) => NodeResult | undefined;
}

type Component = (node: FlowNode, context: NodeContext) => AsyncGenerator<FlowEvent, NodeResult>;

const text = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as number);

const chatInput: Component = async function* (_node, context) {
  const message: Message = {
    id: context.newMessageId(),
    origin: 'input',
    sender: 'User',
    senderName: text(context.field('sender_name')) || 'User',
    text: context.input || text(context.field('input_value')),
    state: 'complete',
    source: null,
    usage: null,
    timestamp: context.timestamp(),
  };
  yield { kind: 'message', message };
  return { output: 'message', value: message.text, message, usage: null };
};

/** Python's f-string of `{names}`, or `{{names}}` when the node says so; `{{` is a literal brace in the first form. */
const prompt: Component = async function* (_node, context) {
  const template = text(context.field('template'));
  const fill = (name: string): string => {
    const value = context.field(name);
    if (value === undefined)
      throw new ComponentError({ errorClass: 'KeyError', text: name, detail: `'${name}'` });
    return Array.isArray(value) ? plainTable(value) : text(value);
  };
  const filled =
    context.field('use_double_brackets') === true
      ? template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => fill(name))
      : template.replace(/\{\{|\}\}|\{(\w+)\}/g, (whole, name?: string) =>
          name === undefined ? whole[0]! : fill(name),
        );
  yield* [];
  return { output: 'prompt', value: filled, message: null, usage: null };
};

const missingCredentials =
  'Missing credentials. Please pass an `api_key`, `workload_identity`, `admin_api_key`, or set the `OPENAI_API_KEY` or `OPENAI_ADMIN_KEY` environment variable.';

const openAiModel: Component = async function* (node, context) {
  const apiKey = text(context.field('api_key'));
  if (!apiKey) throw new ComponentError({ errorClass: 'OpenAIError', text: missingCredentials });
  const model = text(context.field('model_name'));
  const system = text(context.field('system_message'));
  const messages = [
    ...(system ? [{ role: 'system', content: system }] : []),
    { role: 'user', content: text(context.field('input_value')) },
  ];
  const streaming = context.streaming && context.field('stream') === true;
  const chunks = chat(
    {
      baseUrl: text(context.field('openai_api_base')),
      apiKey,
      model,
      messages,
      maxTokens: Number(context.field('max_tokens')) || undefined,
      streaming,
    },
    context,
  );
  const partial: Message = {
    id: context.newMessageId(),
    origin: 'model',
    sender: 'Machine',
    senderName: 'AI',
    text: '',
    state: 'partial',
    source: { id: node.id, display_name: node.displayName, source: model },
    usage: null,
    timestamp: context.timestamp(),
  };
  let answer = '';
  let usage: Usage | null = null;
  let isOpen = false;
  for await (const chunk of chunks) {
    if ('usage' in chunk) usage = chunk.usage;
    else {
      if (streaming && !isOpen) yield { kind: 'message', message: partial };
      isOpen = true;
      answer += chunk.text;
    }
    // Chunks without text (the opening one, the finish reason, the usage) are empty tokens on the wire.
    if (streaming) yield { kind: 'token', messageId: partial.id, chunk: 'usage' in chunk ? '' : chunk.text };
  }
  if (streaming) yield { kind: 'token', messageId: partial.id, chunk: '' };
  const message: Message = { ...partial, text: answer, state: 'complete', usage };
  if (streaming) yield { kind: 'message', message };
  return { output: 'text_output', value: answer, message: streaming ? message : null, usage };
};

const chatOutput: Component = async function* (_node, context) {
  const from = context.upstream('input_value');
  const fed = from ? context.result(from.id) : undefined;
  const streamed = fed?.message?.origin === 'model' ? fed.message : null;
  const value = context.field('input_value');
  const message: Message = streamed ?? {
    id: context.newMessageId(),
    origin: 'output',
    sender: 'Machine',
    senderName: text(context.field('sender_name')) || 'AI',
    text: Array.isArray(value) ? markdownTable(value) : text(value),
    state: 'complete',
    source: from ? { id: from.id, display_name: from.displayName, source: sourceOf(from) } : null,
    usage: fed?.usage ?? null,
    timestamp: context.timestamp(),
  };
  yield { kind: 'message', message };
  // The message is told once more when its usage is written to it.
  if (message.usage) yield { kind: 'message', message };
  return { output: 'message', value: message.text, message, usage: null };
};

/** An MCP tool chosen in the flow, called with the node's fields of the parameters' names. */
const mcpTools: Component = async function* (_node, context) {
  const { name = '', config } = (context.field('mcp_server') ?? {}) as {
    name?: string;
    config?: { url?: string; headers?: Readonly<Record<string, string>> };
  };
  if (!config?.url) throw new ComponentError({ errorClass: 'ValueError', text: 'MCP Server has no URL' });
  const headers = Object.entries(config.headers ?? {}).map(
    ([header, value]) => [header, resolveHeader(value, context.variables)] as const,
  );
  const value = await callTool({
    server: { name, url: config.url, headers: Object.fromEntries(headers) },
    tool: text(context.field('tool')),
    field: (parameter) => {
      const given = context.field(parameter);
      return { value: given, isTable: Array.isArray(given) && context.upstream(parameter) !== undefined };
    },
    timeoutMs: Number(context.field('tool_execution_timeout') ?? 0) * 1_000,
    signal: context.signal,
  });
  yield* [];
  return { output: 'response', value, message: null, usage: null };
};

const sourceOf = (node: FlowNode): string =>
  node.type === 'OpenAIModel' ? text(node.template['model_name']?.value) : node.displayName;

/** What runs for each component type. */
export const components = {
  ChatInput: chatInput,
  ChatOutput: chatOutput,
  'Prompt Template': prompt,
  Prompt: prompt,
  OpenAIModel: openAiModel,
  MCPTools: mcpTools,
} as const satisfies Readonly<Record<string, Component>>;
