import type { ConnectorTool } from '@agentstore/kernel/connector-definition';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** The tools of an MCP server as a connector definition pins them. */
export async function listUpstreamTools(url: URL): Promise<ConnectorTool[]> {
  const client = new Client({ name: 'import', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(url));
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name, title, description, inputSchema }) => ({
    name,
    title: title ?? name,
    description: description ?? '',
    inputSchema,
    risk: 'WRITE',
  }));
}
