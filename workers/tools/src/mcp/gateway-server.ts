import { withTrace } from '@agentstore/kernel/http/trace';
import {
  isCallToolResult,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  Server,
  TRACEPARENT_META_KEY,
  type CallToolResult,
  type ClientCapabilities,
  type Tool,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ToolRefusal } from '../calls/refusals.ts';
import type { Grant, ToolAnswer, ToolCall, ToolCalls, VisibleTool } from '../calls/tool-call.ts';
import { jsonRpcCodeOf, mcpFormOf, refusalText, toolErrorOf } from './mcp-answer.ts';

/** Members of `_meta` that are the gateway's own. */
export const metaKeys = {
  idempotencyKey: 'agentstore.dev/idempotencyKey',
  bindingId: 'agentstore.dev/bindingId',
  organizationId: 'agentstore.dev/organizationId',
  projectId: 'agentstore.dev/projectId',
  auditId: 'agentstore.dev/auditId',
  /** Of a result: what a tool says is data, never an instruction, and widens nothing. */
  untrusted: 'agentstore.dev/untrusted',
  /** Of a result: it was stored under the idempotency key, and nothing was called now. */
  replayed: 'agentstore.dev/replayed',
} as const;

/** How long a client may keep a list, in ms. The list grants nothing: each call is decided anew. */
const listHint = { ttlMs: 5_000, cacheScope: 'private' } as const;

const callMeta = z.looseObject({
  // What is no string is no key: the pipeline refuses the empty one.
  [metaKeys.idempotencyKey]: z.string().optional().catch(''),
  [TRACEPARENT_META_KEY]: z.string().optional().catch(undefined),
});

/** One request of one caller. An MCP server lives as long as it does, so that nothing is shared between two. */
export interface Exchange {
  readonly calls: ToolCalls;
  readonly grant: Grant;
  /** Aborted when the caller hung up. */
  readonly signal: AbortSignal;
  /** `params.arguments` as they were parsed from the body. The SDK's copy lacks a member `__proto__`, which is to be refused and not dropped. */
  readonly arguments: unknown;
  /** Of the HTTP request: who calls, where MCP does not say it, and tenants that are claimed. */
  readonly headers: Headers;
  /** Told of the refusal with which the request ends as a JSON-RPC error. */
  refused(refusal: Pick<ToolRefusal, 'code' | 'facts'>): void;
  /** Told of a fault of our own, which the caller does not see. */
  failed(error: unknown): void;
}

/** An MCP server of the tools that one run may call. */
export function gatewayServer(exchange: Exchange): Server {
  const { calls, grant, headers } = exchange;
  const server = new Server(
    { name: 'agentstore-tools', title: 'Agent Store tool gateway', version: '1.0.0' },
    {
      capabilities: { tools: {} },
      // Of the revisions with a handshake, those without batches.
      supportedProtocolVersions: ['2025-11-25', '2025-06-18'],
      cacheHints: { 'tools/list': listHint, 'server/discover': listHint },
    },
  );
  server.setRequestHandler('tools/list', () =>
    masked(async () => ({ tools: (await calls.list(grant)).map(toolOf) })),
  );
  server.setRequestHandler('tools/call', ({ params }, { mcpReq }) =>
    masked(async () => {
      const { traceparent, ...call } = callOf(params.name, callMeta.parse(mcpReq._meta ?? {}));
      const invoke = (): Promise<ToolAnswer> => calls.invoke(grant, call);
      const answer = await (traceparent === undefined ? invoke() : withTrace(traceparent, invoke));
      const missing = missingCapabilities(answer, server.getClientCapabilities());
      if (missing) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: missing });
      return resultOf(answer);
    }),
  );
  return server;

  function callOf(
    toolId: string,
    meta: z.output<typeof callMeta>,
  ): ToolCall & { traceparent: string | undefined } {
    const said = server.getClientVersion();
    const client = said ? `${said.name}/${said.version}` : headers.get('user-agent');
    const key = meta[metaKeys.idempotencyKey];
    return {
      channel: 'MCP',
      toolId,
      arguments: exchange.arguments ?? {},
      bindingId: meta[metaKeys.bindingId],
      ...(key !== undefined && { idempotencyKey: key }),
      claimed: {
        organizationId: meta[metaKeys.organizationId] ?? headers.get('x-organization-id') ?? undefined,
        projectId: meta[metaKeys.projectId] ?? headers.get('x-project-id') ?? undefined,
      },
      ...(client !== null && { client: client.slice(0, 200) }),
      signal: exchange.signal,
      traceparent: meta[TRACEPARENT_META_KEY],
    };
  }

  function resultOf(answer: ToolAnswer): CallToolResult {
    if (!answer.ok && mcpFormOf(answer.code) === 'JSON_RPC_ERROR')
      throw refusal(answer, refusalText(answer), { auditId: answer.auditId });
    const result = {
      ...(answer.ok ? answer.result : toolErrorOf(answer)),
      _meta: {
        [metaKeys.auditId]: answer.auditId,
        [metaKeys.untrusted]: true,
        ...(answer.ok && answer.replayed && { [metaKeys.replayed]: true }),
      },
    };
    if (!isCallToolResult(result)) throw new Error('an adapter let through what is no tool result');
    return result;
  }

  function refusal(
    { code, facts }: Pick<ToolRefusal, 'code' | 'facts'>,
    message: string,
    more: Readonly<Record<string, unknown>>,
  ): ProtocolError {
    exchange.refused({ code, facts });
    return new ProtocolError(jsonRpcCodeOf(code), message, { ...facts, code, ...more });
  }

  // The SDK sends the message of whatever a handler throws.
  async function masked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      if (error instanceof ToolRefusal) throw refusal(error, `${error.code}: ${error.message}`, {});
      exchange.failed(error);
      throw new ProtocolError(-32603, 'Something went wrong on our side.');
    }
  }
}

const needed = z.object({ requiredCapabilities: z.record(z.string(), z.object({})) });

/** What the upstream needs of its client and this one did not offer; undefined when that is not why there is no result. */
function missingCapabilities(
  answer: ToolAnswer,
  offered: ClientCapabilities | undefined,
): ClientCapabilities | undefined {
  const facts = needed.safeParse(answer.ok ? {} : answer.facts);
  if (!facts.success || offered === undefined) return undefined;
  const missing = Object.entries(facts.data.requiredCapabilities).filter(([name]) => !(name in offered));
  return missing.length ? Object.fromEntries(missing) : undefined;
}

function toolOf(tool: VisibleTool): Tool {
  return {
    name: tool.toolId,
    title: tool.title,
    description: tool.description,
    inputSchema: { ...withoutHeaderMirrors(tool.inputSchema), type: 'object' },
    ...(tool.outputSchema && { outputSchema: tool.outputSchema }),
    annotations: { readOnlyHint: tool.risk === 'READ', destructiveHint: tool.risk === 'DESTRUCTIVE' },
  };
}

/** The schema without `x-mcp-header`: arguments are routed by nothing here, and in a header they would be logged on their way. */
const withoutHeaderMirrors = (schema: VisibleTool['inputSchema']): VisibleTool['inputSchema'] =>
  z
    .record(z.string(), z.unknown())
    .parse(
      JSON.parse(
        JSON.stringify(schema, (name, value: unknown) => (name === 'x-mcp-header' ? undefined : value)),
      ),
    );
