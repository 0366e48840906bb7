import { parse } from 'yaml';
import { z } from 'zod';
import { connectorDefinition, type ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import { ordersOpenApi } from './orders-api.ts';
import { serviceStatusTool } from './status-server.ts';

/** What of the OpenAPI document becomes the tool. */
interface OrdersDocument {
  readonly info: { readonly title: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: {
    readonly '/orders': {
      readonly get: {
        readonly operationId: string;
        readonly summary: string;
        readonly description: string;
        readonly parameters: readonly {
          readonly name: string;
          readonly in: 'query';
          readonly description: string;
          readonly schema: object;
        }[];
      };
    };
  };
  readonly components: {
    readonly securitySchemes: { readonly apiKey: { readonly name: string } };
    readonly schemas: { readonly FoundOrder: Record<string, unknown> };
  };
}

/**
 * The definitions of the demo's connectors: `orders` (REST, API key in a header, secret field `apiKey`) from the API's own OpenAPI document, and
 * `status` (MCP, bearer, secret field `token`) from the server's own schemas.
 */
export function demoConnectors(o: {
  ordersOrigin: string;
  statusOrigin: string;
}): [orders: ConnectorDefinition, status: ConnectorDefinition] {
  const { info, servers, paths, components } = parse(ordersOpenApi) as OrdersDocument;
  const { get } = paths['/orders'];
  const orders = connectorDefinition.parse({
    kind: 'REST',
    slug: 'orders',
    name: info.title,
    origin: o.ordersOrigin,
    path: servers[0]!.url,
    auth: { type: 'HEADER', name: components.securitySchemes.apiKey.name, field: 'apiKey' },
    tools: [
      {
        name: get.operationId,
        title: get.summary,
        description: get.description,
        inputSchema: {
          type: 'object',
          properties: Object.fromEntries(
            get.parameters.map(({ name, description, schema }) => [name, { description, ...schema }]),
          ),
          required: get.parameters.map(({ name }) => name),
          additionalProperties: false,
        },
        outputSchema: components.schemas.FoundOrder,
        risk: 'READ',
        rest: {
          method: 'GET',
          path: '/orders',
          parameters: get.parameters.map(({ name, in: place }) => ({ name, in: place })),
          body: false,
        },
      },
    ],
  });
  const { inputSchema, outputSchema, ...tool } = serviceStatusTool;
  const status = connectorDefinition.parse({
    kind: 'MCP',
    slug: 'status',
    name: 'Service status of the demo shop',
    origin: o.statusOrigin,
    path: '/mcp',
    auth: { type: 'BEARER', field: 'token' },
    tools: [
      {
        ...tool,
        inputSchema: z.toJSONSchema(inputSchema, { io: 'input' }),
        outputSchema: z.toJSONSchema(outputSchema),
        risk: 'READ',
      },
    ],
  });
  return [orders, status];
}
