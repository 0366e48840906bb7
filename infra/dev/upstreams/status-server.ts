import { createMcpHandler, McpServer, type McpHttpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

export const serviceStatusTool = {
  name: 'service_status',
  title: 'Service status',
  description: "Says how one of the shop's services is today.",
  inputSchema: z.object({ service: z.enum(['shop', 'delivery', 'payments']) }),
  outputSchema: z.object({ service: z.string(), state: z.string(), note: z.string() }),
};

const states = {
  shop: { state: 'working', note: 'open all day' },
  delivery: { state: 'delayed', note: 'snow in the north, one day late' },
  payments: { state: 'working', note: 'cards and invoices' },
};

/** An MCP server of the official SDK with one tool, which serves both eras of the protocol at one path. */
export function statusServer(onerror: (error: Error) => void): McpHttpHandler {
  return createMcpHandler(
    () => {
      const server = new McpServer({ name: 'service-status', version: '1.0.0' });
      const { name, ...tool } = serviceStatusTool;
      server.registerTool(name, { ...tool, annotations: { readOnlyHint: true } }, ({ service }) => {
        const status = { service, ...states[service] };
        return { content: [{ type: 'text', text: JSON.stringify(status) }], structuredContent: status };
      });
      return server;
    },
    { onerror },
  );
}
