import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** The connector to this upstream: its tool takes the place of the demo's in the flow. */
export const echoConnector = {
  slug: 'echo',
  tool: 'find_order',
  calledInstead: 'orders__find_order',
} as const;

/** An API that fails and says in its header and its error whatever key it was called with, in several spellings; fine with the text `fine`. */
export async function startEchoUpstream(): Promise<{
  origin: string;
  openapi: string;
  /** Requests that came so far. */
  calls(): number;
  stop(): void;
}> {
  let calls = 0;
  const server = http.createServer((request, response) => {
    calls += 1;
    const key = String(request.headers['x-api-key']);
    const echoed = {
      key,
      twice: JSON.stringify({ key }),
      base64: Buffer.from(`key=${key};`).toString('base64'),
      hex: Buffer.from(key).toString('hex'),
      [key]: 'as a name',
    };
    const isFine = request.url?.includes('fine');
    response.writeHead(isFine ? 200 : 400, {
      'content-type': 'application/json',
      'x-your-key': key,
      'www-authenticate': `Key error="${key} is wrong"`,
    });
    response.end(JSON.stringify(isFine ? echoed : { error: echoed }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    openapi: JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Echo', version: '1' },
      servers: [{ url: `${origin}/v1` }],
      security: [{ key: [] }],
      components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-api-key' } } },
      paths: {
        '/orders': {
          get: {
            operationId: echoConnector.tool,
            parameters: [{ name: 'text', in: 'query', required: true, schema: { type: 'string' } }],
            responses: { 200: { description: 'found' } },
          },
        },
      },
    }),
    calls: () => calls,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
