import type { Log } from '@agentstore/kernel/log';
import { problemResponse } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';
import {
  createMcpHandler,
  isLegacyRequest,
  readRequestBody,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { toolRefusals, ToolRefusal } from '../calls/refusals.ts';
import type { Grant, ToolCalls } from '../calls/tool-call.ts';
import { gatewayServer } from './gateway-server.ts';

/** What the routes need. */
export interface McpOptions {
  readonly calls: ToolCalls;
  readonly log: Log;
  readonly settings: {
    /** Audience of run tokens, and the resource of the RFC 9728 document. */
    readonly publicOrigin: string;
    readonly maxBodyBytes: number;
  };
}

const message = z.object({
  method: z.string().optional(),
  id: z.union([z.string(), z.number()]).optional(),
  params: z.object({ arguments: z.unknown() }).optional().catch(undefined),
});

/**
 * MCP for the flows: revision 2026-07-28 and the ones with a handshake (2025-11-25, 2025-06-18) at one path, POST only, without sessions. Each request stands for
 * itself and is answered by its own token alone; a session id that a client brings means nothing. Host and Origin were checked before.
 */
export function mcpRoutes(app: ServiceApp, { calls, log, settings }: McpOptions): void {
  const metadataPath = '/.well-known/oauth-protected-resource';
  const metadata = {
    resource: settings.publicOrigin,
    resource_name: 'Agent Store tool gateway',
    bearer_methods_supported: ['header'],
  };
  app.get(metadataPath, (c) => c.json(metadata));
  app.get(`${metadataPath}/mcp`, (c) => c.json(metadata));
  app.all('/mcp', async (c) => {
    let grant: Grant;
    try {
      grant = await calls.authenticate(c.req.header('authorization') ?? null);
    } catch (error) {
      if (!(error instanceof ToolRefusal)) throw error;
      return error.code === 'UNAUTHENTICATED'
        ? challenge(error.message, c.req.header('authorization') !== undefined)
        : problemResponse(
            { status: toolRefusals[error.code].status, code: error.code, title: error.message },
            retryAfter(error),
          );
    }
    if (c.req.method !== 'POST') return rpcError(405, -32000, 'Only POST is served.', { allow: 'POST' });
    return serveMessage(c.req.raw, grant);
  });

  async function serveMessage(request: Request, grant: Grant): Promise<Response> {
    const read = await readRequestBody(request, settings.maxBodyBytes);
    if (read.tooLarge)
      return rpcError(413, -32000, `The body may have at most ${settings.maxBodyBytes} bytes.`);
    let body: unknown;
    try {
      body = JSON.parse(read.text);
    } catch {
      return rpcError(400, -32700, 'The body is not JSON.');
    }
    const parsed = message.safeParse(body);
    if (!parsed.success) return rpcError(400, -32600, 'The body is not one JSON-RPC message.');
    const { id, method, params } = parsed.data;
    // A stream for as long as the client likes, of changes that are never announced.
    if (method === 'subscriptions/listen') return rpcError(404, -32601, 'Method not found', { id });

    let refused: Refusal | undefined;
    const server = gatewayServer({
      calls,
      grant,
      signal: request.signal,
      arguments: params?.arguments,
      headers: request.headers,
      refused: (refusal) => (refused = refusal),
      failed: (error) => log.error({ err: error }, 'MCP request failed'),
    });
    if (await isLegacyRequest(request, body)) {
      const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
      await server.connect(transport);
      const response = await transport.handleRequest(request, { parsedBody: body });
      await server.close();
      // A client of these revisions takes an HTTP error for a broken connection, and 404 for a lost session: it would not see why, and begin anew.
      return response;
    }
    const response = await createMcpHandler(() => server, { legacy: 'reject' }).fetch(request, {
      parsedBody: body,
    });
    return refused === undefined ? response : withStatusOf(refused, response);
  }

  function challenge(title: string, tokenWasSent: boolean): Response {
    const error = tokenWasSent ? 'error="invalid_token", ' : '';
    return problemResponse(
      { status: 401, code: 'UNAUTHENTICATED', title },
      {
        'www-authenticate': `Bearer ${error}resource_metadata="${settings.publicOrigin}${metadataPath}"`,
      },
    );
  }
}

/** An error that is none of the pipeline's; `id` where the message had one. */
const rpcError = (
  status: number,
  code: number,
  text: string,
  { id, ...headers }: { readonly id?: string | number | undefined; readonly allow?: string } = {},
): Response =>
  Response.json({ jsonrpc: '2.0', id: id ?? null, error: { code, message: text } }, { status, headers });

type Refusal = Pick<ToolRefusal, 'code' | 'facts'>;

/** When to come again, in seconds: as the refusal says, or soon where the fault is the gateway's and passes. */
function retryAfter({ code, facts: { retryAfterSeconds } }: Refusal): Record<string, string> {
  const passes = [429, 503].includes(toolRefusals[code].status);
  const seconds = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : passes ? 2 : undefined;
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
}

function withStatusOf(refusal: Refusal, response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(retryAfter(refusal))) headers.set(name, value);
  return new Response(response.body, { status: toolRefusals[refusal.code].status, headers });
}
