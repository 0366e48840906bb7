import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of the tool as the server saw it. */
export interface SeenCall {
  readonly authorization: string;
  readonly text: string;
}

/** A tool server on loopback (MCP, streamable HTTP, plain JSON replies) whose one tool, `echo_tool`, answers its input and the credential it was called with. */
export async function startMcpServer(): Promise<{
  url: string;
  calls: SeenCall[];
  stop: () => Promise<void>;
}> {
  const calls: SeenCall[] = [];
  const results: Record<
    string,
    (params: { arguments?: { text?: string } }, authorization: string) => object
  > = {
    initialize: () => ({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'echo', version: '1' },
    }),
    'tools/list': () => ({
      tools: [
        {
          name: 'echo_tool',
          description: 'Answers its input',
          inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
        },
      ],
    }),
    'tools/call': (params, authorization) => {
      const text = params.arguments?.text ?? '';
      calls.push({ authorization, text });
      return {
        content: [
          { type: 'text', text: JSON.stringify({ echo: { text }, authorization_seen: authorization }) },
        ],
      };
    },
  };
  const server = http.createServer(async (incoming, outgoing) => {
    if (incoming.method !== 'POST') return void outgoing.writeHead(405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const message = JSON.parse(Buffer.concat(chunks).toString()) as {
      id?: number;
      method: string;
      params?: object;
    };
    const result = results[message.method]?.(message.params ?? {}, incoming.headers.authorization ?? '');
    if (message.id === undefined) return void outgoing.writeHead(202).end();
    outgoing
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: result ?? {} }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
