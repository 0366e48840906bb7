import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Agent, request } from 'undici';
import { benchCredential, type ToolRun } from './tool-agent.ts';

/** An answer that ends the bench; `code` is that of its problem. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The same two calls in three ways, each over connections that are kept. Each throws when its answer is not the expected one. */
export interface ToolClients {
  /** The orders API, asked with the credential. */
  direct(): Promise<void>;
  /** The same through the gateway: `POST …:invoke`. */
  rest(run: ToolRun): Promise<void>;
  /** The agent's other tool, through the gateway. */
  restStatus(run: ToolRun): Promise<void>;
  /** A call that the tool's schema refuses. */
  refused(run: ToolRun): Promise<void>;
  /** An answer of the gateway's HTTP server that nothing was done for. */
  hop(): Promise<void>;
  /** A client of the status server, or of the gateway in front of it, as lfx has one: of the era with a handshake, kept for many calls. */
  mcp(url: URL, token: string, tool: string): Promise<{ call(): Promise<void>; close(): Promise<void> }>;
}

export function toolClients(at: { readonly upstream: string; readonly gateway: string }): ToolClients {
  const dispatcher = new Agent({ pipelining: 1, keepAliveTimeout: 30_000 });

  async function ask(
    expected: number,
    url: string,
    options: Parameters<typeof request>[1] = {},
  ): Promise<void> {
    const { statusCode, body } = await request(url, { ...options, dispatcher });
    const text = await body.text();
    const { code = '' } = JSON.parse(text) as { code?: string };
    if (statusCode !== expected) throw new UnexpectedAnswer(`${url} answered ${statusCode}: ${text}`, code);
  }
  const invoke = (run: ToolRun, args: object, expected: number, tool = 'orders__find_order'): Promise<void> =>
    ask(expected, `${at.gateway}/v1/tools/${tool}:invoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${run.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ arguments: args }),
    });

  return {
    direct: () =>
      ask(200, `${at.upstream}/v1/orders?text=A-1042`, { headers: { 'x-api-key': benchCredential } }),
    rest: (run) => invoke(run, { text: 'A-1042' }, 200),
    restStatus: (run) => invoke(run, { service: 'delivery' }, 200, 'status__service_status'),
    refused: (run) => invoke(run, { text: 1_042 }, 400),
    hop: () => ask(200, `${at.gateway}/.well-known/oauth-protected-resource`),
    async mcp(url, token, tool) {
      const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
      await client.connect(
        new StreamableHTTPClientTransport(url, {
          requestInit: { headers: { authorization: `Bearer ${token}` } },
        }),
      );
      return {
        async call() {
          const { isError } = await client.callTool({ name: tool, arguments: { service: 'delivery' } });
          if (isError) throw new Error(`${tool} failed at ${url.origin}`);
        },
        close: () => client.close(),
      };
    },
  };
}
