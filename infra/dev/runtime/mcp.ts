import { setTimeout as sleep } from 'node:timers/promises';
import { ComponentError } from './component-error.ts';
import { toolArguments, type FieldValue, type ListedTool } from './tool-arguments.ts';

/** What lfx waits for a tool when neither the node nor its environment says. */
const defaultTimeoutMs = 180_000;
const connectDeadlineMs = 30_000;

/** A tool server as a node names it, its headers resolved. */
export interface McpServer {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface ToolCall {
  readonly server: McpServer;
  readonly tool: string;
  readonly field: (name: string) => FieldValue;
  /** Of the call; 0 for the default. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Calls one tool of an MCP server over streamable HTTP: initialize, tools/list, tools/call, each with the run's headers, replies as JSON or as an
 * event stream. Answers one row per content block, as lfx makes them: a JSON object is itself, all else stands in `text`. What fails is told in
 * lfx's words, and an HTTP error to the call itself is waited out until the tool's timeout, which is what lfx 1.13 does.
 */
export async function callTool(o: ToolCall): Promise<Record<string, unknown>[]> {
  try {
    return await rowsOf(o);
  } catch (error) {
    o.signal.throwIfAborted();
    throw new ComponentError({
      errorClass: 'ValueError',
      text: `Error in build_output: ${(error as Error).message}`,
    });
  }
}

async function rowsOf(o: ToolCall): Promise<Record<string, unknown>[]> {
  const { send, tools } = await connect(o.server, o.signal).catch((error: unknown) => {
    throw new Error(`Error updating tool list: ${connectionFailure(o.server, error)}`);
  });
  if (o.tool === '') return [{ error: 'You must select a tool' }];
  const tool = tools.find(({ name }) => name === o.tool);
  if (!tool) throw new Error(`'${o.tool}'`);
  const params = { name: o.tool, arguments: toolArguments(tool, o.field) };
  const { content = [], isError } = await send(
    'tools/call',
    params,
    o.signal,
    o.timeoutMs || defaultTimeoutMs,
  )
    .then((result) => result as { content?: readonly ContentBlock[]; isError?: boolean })
    .catch((error: unknown) => {
      throw new Error(`Tool '${o.tool}' execution failed: ${callFailure(o, error)}`);
    });
  if (!isError) return content.map(rowOf);
  const words = content.map(({ text = '' }) => text).join(' ');
  throw new Error(`MCP tool '${o.tool}' failed: ${words.trim() || 'no error detail provided'}`);
}

function callFailure({ tool, timeoutMs }: ToolCall, error: unknown): string {
  if (error instanceof RpcError) return error.message;
  if (error instanceof HttpError)
    return `Failed to run tool '${tool}': Maximum retries exceeded with repeated McpError errors`;
  return `Tool '${tool}' timed out after ${(timeoutMs || defaultTimeoutMs) / 1_000}s. It was not retried because the MCP server may have already run it; check the tool's effects before running it again.`;
}

interface ContentBlock {
  readonly type: string;
  readonly text?: string;
}

/** The server answered with an HTTP status that is none of success. */
class HttpError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** The server answered with a JSON-RPC error. */
class RpcError extends Error {}

type Send = (
  method: string,
  params: object | undefined,
  aborted: AbortSignal,
  timeoutMs?: number,
) => Promise<unknown>;

async function connect(
  server: McpServer,
  aborted: AbortSignal,
): Promise<{ send: Send; tools: readonly ListedTool[] }> {
  let lastId = -1;
  let session: string | null = null;
  const send: Send = async (method, params, gone, timeoutMs = connectDeadlineMs) => {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]);
    const id = method.startsWith('notifications/') ? undefined : (lastId += 1);
    const response = await fetch(server.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session ? { 'mcp-session-id': session } : {}),
        ...server.headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      signal,
    });
    session = response.headers.get('mcp-session-id') ?? session;
    const body = await response.text();
    if (!response.ok && method === 'tools/call' && response.status !== 404)
      await sleep(timeoutMs, undefined, { signal });
    if (!response.ok) throw new HttpError(response.status);
    if (id === undefined) return undefined;
    const reply = messagesOf(response.headers.get('content-type') ?? '', body).find((one) => one.id === id);
    if (!reply) throw new Error('the reply has no answer');
    if (reply.error) throw new RpcError(reply.error.message ?? 'MCP error');
    return reply.result;
  };
  await send(
    'initialize',
    { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'mcp', version: '0.1.0' } },
    aborted,
  );
  await send('notifications/initialized', undefined, aborted);
  const { tools = [] } = (await send('tools/list', undefined, aborted)) as { tools?: readonly ListedTool[] };
  return { send, tools };
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message?: string };
}

/** The JSON-RPC messages of a reply: one, or those of an event stream, among which may be notifications. */
function messagesOf(contentType: string, body: string): Reply[] {
  if (!contentType.startsWith('text/event-stream')) return [JSON.parse(body) as Reply];
  return body.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = event
      .split(/\r?\n/)
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []))
      .join('\n');
    return data === '' ? [] : [JSON.parse(data) as Reply];
  });
}

function connectionFailure({ name, url }: McpServer, error: unknown): string {
  const cause = 'unhandled errors in a TaskGroup (1 sub-exception)';
  const status = error instanceof HttpError && error.status !== 404 ? error.status : undefined;
  if (status === 401 || status === 403)
    return `MCP server '${name}' at ${url} rejected the request with HTTP ${status}: the configured credential was refused. Cause: ${cause}`;
  return `MCP server '${name}' at ${url} failed${status === undefined ? '' : ` with HTTP ${status}`}: ${error instanceof RpcError ? error.message : cause}`;
}

function rowOf(block: ContentBlock): Record<string, unknown> {
  if (block.type !== 'text') return { ...block };
  const { text = '' } = block;
  try {
    const value: unknown = JSON.parse(text);
    const isRow = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isRow ? { ...value } : { text, parsed_value: value, type: 'text' };
  } catch {
    return { type: 'text', text, annotations: null, meta: null };
  }
}

/**
 * A header value with the run's variables put in: a whole value that is a variable's name, or `{{NAME}}` anywhere. A variable that was not given
 * stays as it is written, as in lfx: the server behind must refuse the literal.
 */
export function resolveHeader(value: string, variables: ReadonlyMap<string, string>): string {
  return (
    variables.get(value) ??
    value.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (whole, name: string) => variables.get(name) ?? whole)
  );
}
