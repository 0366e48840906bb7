import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of a tool as the server saw it. */
export interface SeenCall {
  readonly authorization: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const text = { type: 'string' };
const tools = [
  {
    name: 'echo_tool',
    description: 'Answers its input',
    inputSchema: { type: 'object', properties: { text }, required: ['text'] },
  },
  {
    name: 'orders__find_order',
    description: 'Answers an order, and who asked',
    inputSchema: {
      type: 'object',
      properties: { text, limit: { type: 'integer' }, open: { type: 'boolean', default: true } },
      required: ['text'],
    },
  },
  {
    name: 'status__service_status',
    description: 'Answers how a service is, and who asked',
    inputSchema: { type: 'object', properties: { service: text }, required: ['service'] },
  },
];

/** The run that a credential stands for, as the tool gateway knows it from a run token. */
const runOf = (authorization: string): string => authorization.replace('Bearer ', '');

/** What the tools answer; `refuse me` in the input is refused as a gateway refuses: a result that is an error. */
function resultOf({ tool, authorization, arguments: given }: SeenCall): object {
  const said = (value: object): object => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
  if (String(given['text']).includes('refuse me'))
    return {
      isError: true,
      content: [
        { type: 'text', text: 'TOOL_DENIED: the policy denies it.' },
        { type: 'text', text: 'audit 7' },
      ],
    };
  const run = runOf(authorization);
  if (tool === 'orders__find_order')
    return said({
      found: true,
      order: 'A-1042',
      item: 'Walnut desk',
      state: 'shipped',
      expected: '2026-12-02',
      run,
    });
  if (tool === 'status__service_status')
    return said({
      service: given['service'],
      state: 'delayed',
      note: 'snow in the north, one day late',
      run,
    });
  return said({ echo: { text: given['text'] }, authorization_seen: authorization });
}

/**
 * A tool server on loopback (MCP, streamable HTTP) that writes down who called what. It answers in plain JSON at `/mcp` and in event streams at
 * `/stream`. A credential `Bearer status-N` is answered with that HTTP status,
 * `Bearer call-status-N` only when it calls a tool. Calls whose input says `together` wait until as many as
 * `togetherWith` says are there.
 */
export async function startMcpServer(o: { togetherWith?: number } = {}): Promise<{
  url: string;
  streamUrl: string;
  calls: SeenCall[];
  stop: () => Promise<void>;
}> {
  const calls: SeenCall[] = [];
  let waiting: (() => void)[] = [];
  const together = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < (o.togetherWith ?? 1)) return;
      for (const go of waiting) go();
      waiting = [];
    });
  const answer = async (
    { method, params }: { method: string; params?: { name: string; arguments?: SeenCall['arguments'] } },
    authorization: string,
  ): Promise<object> => {
    if (method === 'initialize')
      return {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'echo', version: '1' },
      };
    if (method === 'tools/list') return { tools };
    if (method !== 'tools/call' || !params) return {};
    const call = { authorization, tool: params.name, arguments: params.arguments ?? {} };
    calls.push(call);
    if (String(call.arguments['text']).includes('together')) await together();
    return resultOf(call);
  };
  const server = http.createServer(async (incoming, outgoing) => {
    const authorization = incoming.headers.authorization ?? '';
    const [, at, status] = /^Bearer (call-)?status-(\d+)$/.exec(authorization) ?? [];
    if (incoming.method !== 'POST') return void outgoing.writeHead(405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const message = JSON.parse(Buffer.concat(chunks).toString()) as {
      id?: number;
      method: string;
      params?: { name: string; arguments?: SeenCall['arguments'] };
    };
    if (status && (!at || message.method === 'tools/call'))
      return void outgoing.writeHead(Number(status)).end();
    const result = await answer(message, authorization);
    if (message.id === undefined) return void outgoing.writeHead(202).end();
    const reply = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
    if (incoming.url !== '/stream')
      return void outgoing.writeHead(200, { 'content-type': 'application/json' }).end(reply);
    const notice = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'soon' },
    };
    outgoing
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(`: here\n\nevent: message\ndata: ${JSON.stringify(notice)}\n\nevent: message\ndata: ${reply}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/mcp`,
    streamUrl: `${origin}/stream`,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
