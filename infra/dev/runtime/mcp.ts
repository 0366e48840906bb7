import { ComponentError } from './component-error.ts';

const callDeadlineMs = 60_000;

/**
 * Calls one tool of an MCP server over streamable HTTP: initialize, tools/list, tools/call, each with the run's headers. Answers the tool's
 * structured result or its texts. Only plain JSON replies are read, which is what the store's own gateway gives.
 */
export async function callTool(o: {
  url: string;
  headers: Readonly<Record<string, string>>;
  tool: string;
  input: string;
  signal: AbortSignal;
}): Promise<unknown> {
  let id = 0;
  let session: string | null = null;
  const send = async (method: string, params?: object): Promise<unknown> => {
    const isCall = !method.startsWith('notifications/');
    const response = await fetch(o.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session ? { 'mcp-session-id': session } : {}),
        ...o.headers,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        method,
        ...(params ? { params } : {}),
        ...(isCall ? { id: id++ } : {}),
      }),
      signal: AbortSignal.any([o.signal, AbortSignal.timeout(callDeadlineMs)]),
    });
    session = response.headers.get('mcp-session-id') ?? session;
    const body = await response.text();
    if (!response.ok)
      throw new ComponentError({ errorClass: 'ValueError', text: `MCP server answered ${response.status}` });
    if (!isCall) return undefined;
    const reply = JSON.parse(body) as { result?: unknown; error?: { message?: string } };
    if (reply.error)
      throw new ComponentError({ errorClass: 'McpError', text: reply.error.message ?? 'MCP error' });
    return reply.result;
  };
  await send('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'mcp', version: '0.1.0' },
  });
  await send('notifications/initialized');
  const { tools } = (await send('tools/list')) as {
    tools: { name: string; inputSchema?: { properties?: Record<string, unknown> } }[];
  };
  const tool = tools.find(({ name }) => name === o.tool);
  if (!tool) throw new ComponentError({ errorClass: 'ValueError', text: `Tool ${o.tool} not found.` });
  const [parameter = 'text'] = Object.keys(tool.inputSchema?.properties ?? {});
  const result = (await send('tools/call', { name: o.tool, arguments: { [parameter]: o.input } })) as {
    structuredContent?: unknown;
    content?: readonly { text?: string }[];
  };
  return result.structuredContent ?? (result.content ?? []).map(({ text = '' }) => parsed(text));
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

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
