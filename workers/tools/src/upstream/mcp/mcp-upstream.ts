import { activeTrace } from '@agentstore/kernel/http/trace';
import {
  Client,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  SdkHttpError,
  StreamableHTTPClientTransport,
  TRACEPARENT_META_KEY,
  type CallToolResult,
  type PriorDiscovery,
  type RequestOptions,
} from '@modelcontextprotocol/client';
import { LRUCache } from 'lru-cache';
import type { ToolRefusalCode } from '../../calls/refusals.ts';
import type { ToolResult } from '../../calls/tool-call.ts';
import {
  routeOf,
  UpstreamRefusal,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from '../upstream.ts';
import { openWire, type Wire } from './guarded-fetch.ts';
import { unchangedTools } from './pinned-tools.ts';

/** How long what was learnt of an upstream holds, in ms, unless it says before that its list has changed. Its `ttlMs` is for who shows the list. */
const freshMs = 60_000;
/** How long an upstream may take to end a session, in ms. */
const leaveMs = 2_000;
/** Blocks of content that a result may have. */
const mostBlocks = 64;
/** Pages of a list of tools. */
const mostPages = 16;

/** What was learnt of an upstream with one credential for one definition: it holds for no other principal. */
interface Learnt {
  readonly era: PriorDiscovery;
  readonly unchanged: ReadonlySet<string>;
}

/**
 * The adapter of upstream MCP servers, both eras, over Streamable HTTP only. Each call has a client and a transport of its own. An upstream gets the credential of the binding and nothing of the
 * caller's; its tools must be described as they were approved.
 * @param entries - How many (definition, credential) pairs are remembered.
 */
export function mcpUpstream({ entries }: { readonly entries: number }): Upstream {
  const learnt = new LRUCache<string, Learnt>({ max: entries, ttl: freshMs });

  return {
    check: () => undefined,
    call,
    close: async () => learnt.clear(),
  };

  async function call(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const wire = openWire(request);
    let sent = false;
    const client = new Client(
      { name: 'agentstore-tools', version: '1.0.0' },
      {
        versionNegotiation: { mode: 'auto' },
        inputRequired: { autoFulfill: false },
        listMaxPages: mostPages,
      },
    );
    const transport = new StreamableHTTPClientTransport(
      new URL(request.definition.path, routeOf(request).origin),
      { fetch: wire.fetch, reconnectionOptions: noReconnection },
    );
    try {
      return { result: await whileOpen(wire.signal, converse()), ...wire.facts(sent) };
    } catch (error) {
      if (error instanceof UpstreamRefusal) throw error;
      throw new UpstreamRefusal(codeOf(error, wire, request.signal), wire.facts(sent), factsOf(error));
    } finally {
      void leave();
    }

    /** Ends the session that an upstream of 2025 may have opened for this one call; nobody waits for it. */
    async function leave(): Promise<void> {
      const enough = setTimeout(() => void client.close(), leaveMs);
      if (transport.sessionId !== undefined) await transport.terminateSession().catch(() => undefined);
      clearTimeout(enough);
      await client.close().catch(() => undefined);
    }

    async function converse(): Promise<ToolResult> {
      const key = JSON.stringify([request.definitionHash, request.credentialId]);
      const options = {
        signal: wire.signal,
        // The request's own signal comes first: one clock decides.
        timeout: Math.max(1, Math.ceil(request.deadline - performance.now()) + 1_000),
      };
      const known = learnt.get(key);
      await client.connect(transport, { ...options, ...(known && { prior: known.era }) });
      client.setNotificationHandler('notifications/tools/list_changed', () => void learnt.delete(key));
      const { unchanged } = known ?? (await learn(key, options));
      if (!unchanged.has(request.tool.name)) throw refusal('TOOL_DEFINITION_CHANGED');
      sent = true;
      return resultOf(await answerOf(options));
    }

    async function learn(key: string, options: RequestOptions): Promise<Learnt> {
      const { tools } = await client.listTools(undefined, options);
      const discover = client.getDiscoverResult();
      const found: Learnt = {
        era: discover ? { kind: 'modern', discover } : { kind: 'legacy' },
        unchanged: unchangedTools(request.definition.tools, tools),
      };
      learnt.set(key, found);
      return found;
    }

    async function answerOf(options: RequestOptions): Promise<CallToolResult> {
      const { name, description, inputSchema } = request.tool;
      const traceparent = activeTrace();
      try {
        return await client.callTool(
          {
            name,
            arguments: { ...request.arguments },
            ...(traceparent !== undefined && { _meta: { [TRACEPARENT_META_KEY]: traceparent } }),
          },
          // The approved definition, so that the client asks for no other; the output is validated by who pinned it.
          {
            ...options,
            toolDefinition: { name, description, inputSchema: { ...inputSchema, type: 'object' } },
          },
        );
      } catch (error) {
        if (error instanceof ProtocolError && !protocolFaults.has(error.code))
          return { content: [{ type: 'text', text: error.message }], isError: true };
        throw error;
      }
    }

    function resultOf({ content, structuredContent, isError }: CallToolResult): ToolResult {
      if (content.length > mostBlocks) throw refusal('RESPONSE_TOO_LARGE');
      return {
        content,
        ...(structuredContent !== undefined && { structuredContent }),
        isError: isError === true,
      };
    }

    function refusal(code: ToolRefusalCode): UpstreamRefusal {
      return new UpstreamRefusal(code, wire.facts(sent));
    }
  }
}

const noReconnection = {
  maxRetries: 0,
  initialReconnectionDelay: 0,
  maxReconnectionDelay: 0,
  reconnectionDelayGrowFactor: 1,
};

/** JSON-RPC errors that say that we do not understand each other; every other one is the tool's own word, which a model may mend. */
const protocolFaults: ReadonlySet<number> = new Set([
  ProtocolErrorCode.ParseError,
  ProtocolErrorCode.InvalidRequest,
  ProtocolErrorCode.MethodNotFound,
  ProtocolErrorCode.MissingRequiredClientCapability,
  ProtocolErrorCode.UnsupportedProtocolVersion,
  -32020,
]);

function codeOf(error: unknown, wire: Wire, caller: AbortSignal): ToolRefusalCode {
  const broke = wire.broke();
  if (broke !== undefined) return broke;
  if (caller.aborted)
    return caller.reason instanceof Error && caller.reason.name === 'TimeoutError'
      ? 'UPSTREAM_TIMEOUT'
      : 'UPSTREAM_UNAVAILABLE';
  return error instanceof SdkHttpError ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_INVALID';
}

/** Client capabilities that a tool needs and this gateway, which asks nobody, does not have: by their names in MCP, and nothing else of what the upstream said. */
function factsOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof MissingRequiredClientCapabilityError)) return {};
  const required = ['elicitation', 'roots', 'sampling'].filter((name) => name in error.requiredCapabilities);
  return { requiredCapabilities: Object.fromEntries(required.map((name) => [name, {}])) };
}

/** `work`, or a rejection as soon as `signal` is aborted: not every step of a client heeds its signal. */
function whileOpen<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = (): void => reject(new Error('the call is over'));
    if (signal.aborted) over();
    signal.addEventListener('abort', over, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', over));
  });
}
