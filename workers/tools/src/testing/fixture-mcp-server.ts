import type { ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import {
  createMcpHandler,
  legacyStatelessFallback,
  MissingRequiredClientCapabilityError,
  Server,
  type CallToolResult,
  type McpServerFactory,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import schema2020 from './schema-2020-12.json' with { type: 'json' };

type Run = (ctx: ServerContext, args: Readonly<Record<string, unknown>>) => Promise<CallToolResult>;
export interface FixtureTool {
  readonly tool: Tool;
  readonly run: Run;
}

const text = (said: string): CallToolResult => ({ content: [{ type: 'text', text: said }] });
// A red pixel, and a WAV file without samples.
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const simple = (
  name: string,
  run: Run,
  inputSchema: Tool['inputSchema'] = { type: 'object' },
): FixtureTool => ({
  tool: { name, title: name, description: `Fixture ${name}.`, inputSchema },
  run,
});

/** Tools that the conformance suite calls by these names, and what it expects of them. */
export const fixtureTools: readonly FixtureTool[] = [
  simple('test_simple_text', async () => text('This is a simple text response for testing.')),
  simple('test_image_content', async () => ({
    content: [{ type: 'image', data: png, mimeType: 'image/png' }],
  })),
  simple('test_audio_content', async () => ({
    content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }],
  })),
  simple('test_embedded_resource', async () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  })),
  simple('test_multiple_content_types', async () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: png, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  })),
  simple('test_error_handling', async () => ({
    ...text('This tool intentionally returns an error for testing'),
    isError: true,
  })),
  simple('test_tool_with_progress', async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100])
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken: progressToken!, progress, total: 100 },
      });
    return text('done');
  }),
  simple('test_tool_with_logging', async ({ mcpReq }) => {
    await mcpReq.log('info', 'Tool execution started');
    return text('logged');
  }),
  simple('test_logging_tool', async ({ mcpReq }) => {
    await mcpReq.log('info', 'nobody asked for it');
    return text('logged');
  }),
  simple('test_streaming_elicitation', async () => text('streamed')),
  simple('test_missing_capability', async () => {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  }),
  simple('test_sampling', async ({ mcpReq }) => {
    await mcpReq.requestSampling({
      messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }],
      maxTokens: 10,
    });
    return text('sampled');
  }),
  simple('json_schema_2020_12_tool', async () => text('valid'), { ...schema2020, type: 'object' }),
];

/** The fixture's tools as a connector definition pins them. */
export const fixtureDefinition = (origin: string): ConnectorDefinition => ({
  kind: 'MCP',
  slug: 'fixture',
  name: 'Fixture',
  origin,
  path: '/mcp',
  auth: { type: 'BEARER', field: 'token' },
  tools: fixtureTools.map(({ tool }) => ({
    name: tool.name,
    title: tool.title ?? tool.name,
    description: tool.description ?? '',
    inputSchema: tool.inputSchema,
    risk: 'READ',
  })),
  timeoutMs: 15_000,
  maxResponseBytes: 1_048_576,
});

/** An MCP server with these tools, by the official SDK; every request must bear the token. */
export function fixtureMcpServer(options: {
  readonly token: string;
  /** A server that knows the revisions with a handshake only; both eras are served else. */
  readonly isLegacy?: boolean;
  readonly tools?: readonly FixtureTool[];
  /** Told of each request that bore the token. */
  readonly onRequest?: (request: Request) => void;
}): (request: Request) => Promise<Response> {
  const tools = options.tools ?? fixtureTools;
  const factory: McpServerFactory = () => {
    const server = new Server(
      { name: 'fixture', version: '1.0.0' },
      { capabilities: { tools: {}, logging: {} } },
    );
    server.setRequestHandler('tools/list', () => ({ tools: tools.map(({ tool }) => tool) }));
    server.setRequestHandler('tools/call', ({ params }, ctx) => {
      const found = tools.find(({ tool }) => tool.name === params.name);
      return found ? found.run(ctx, params.arguments ?? {}) : { ...text('unknown tool'), isError: true };
    });
    return server;
  };
  const fetch = options.isLegacy ? legacyStatelessFallback(factory) : createMcpHandler(factory).fetch;
  return async (request) => {
    if (request.headers.get('authorization') !== `Bearer ${options.token}`)
      return new Response(null, { status: 401 });
    options.onRequest?.(request);
    return fetch(request);
  };
}
