/** A connector of the store as `PUT /internal/connectors` takes it: one REST tool, a key in a header. */
export const ordersConnector = {
  kind: 'REST',
  slug: 'orders',
  name: 'Orders',
  origin: 'https://orders.example.com',
  path: '/v1',
  auth: { type: 'HEADER', name: 'X-API-Key', field: 'apiKey' },
  tools: [
    {
      name: 'find_order',
      title: 'Find an order',
      description: 'Finds an order by its number.',
      inputSchema: {
        type: 'object',
        properties: { id: { type: 'string' } },
        required: ['id'],
        additionalProperties: false,
      },
      risk: 'READ',
      rest: { method: 'GET', path: '/orders/{id}', parameters: [{ name: 'id', in: 'path' }], body: false },
    },
  ],
};

/** One that needs no secret. */
export const statusConnector = {
  kind: 'MCP',
  slug: 'status',
  name: 'Status',
  origin: 'https://status.example.com',
  path: '/mcp',
  auth: { type: 'NONE' },
  tools: [
    {
      name: 'service_status',
      title: 'Status',
      description: 'Whether a service runs.',
      inputSchema: { type: 'object', properties: { service: { type: 'string' } } },
      risk: 'READ',
    },
  ],
};
