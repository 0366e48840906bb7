import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { demoConnectors } from './connectors.ts';
import { startUpstreams, type Upstreams } from './upstreams.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const key = randomBytes(16).toString('hex');
const token = randomBytes(16).toString('hex');
let upstreams: Upstreams;

beforeAll(async () => {
  upstreams = await startUpstreams({
    port: 0,
    ordersKeySha256: sha256(key),
    statusTokenSha256: sha256(token),
    log: silentLog,
  });
});
afterAll(() => upstreams.stop());

const orders = (query: string, apiKey: string | null = key): Promise<Response> =>
  fetch(`${upstreams.ordersUrl}/orders${query}`, { headers: apiKey === null ? {} : { 'x-api-key': apiKey } });

/** One JSON-RPC request of the era that has a handshake, or of the one that tells its version in each request. */
const rpc = async (method: string, params: object, o: { modern?: boolean; bearer?: string | null } = {}) => {
  const bearer = o.bearer === undefined ? token : o.bearer;
  const name = (params as { name?: string }).name;
  const response = await fetch(upstreams.statusUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(o.modern
        ? {
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': method,
            ...(name === undefined ? {} : { 'mcp-name': name }),
          }
        : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: o.modern
        ? {
            ...params,
            _meta: {
              'io.modelcontextprotocol/protocolVersion': '2026-07-28',
              'io.modelcontextprotocol/clientCapabilities': {},
              'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
            },
          }
        : params,
    }),
  });
  const text = await response.text();
  const json = /^data: (.+)$/m.exec(text)?.[1] ?? text;
  return { status: response.status, body: JSON.parse(json) as { result?: Record<string, unknown> } };
};

describe('the upstream servers of the demo', () => {
  it('finds the order that a text names', async () => {
    expect(await (await orders('?text=Where%20is%20a-1042%3F')).json()).toEqual({
      found: true,
      order: 'A-1042',
      item: 'Walnut desk',
      state: 'shipped',
      expected: '2026-12-02',
    });
    expect(await (await orders('?text=hello')).json()).toMatchObject({ found: false, order: null });
    expect((await orders('')).status).toBe(400);
  });

  it('lets nobody in without the very key and token, and counts who tried', async () => {
    const before = upstreams.calls();
    const refused = [await orders('?text=A-1042', null), await orders('?text=A-1042', sha256(key))];
    expect(refused.map((response) => response.status)).toEqual([401, 401]);
    const list = { bearer: 'other' };
    expect((await rpc('tools/list', {}, list)).status).toBe(401);
    expect((await rpc('tools/list', {}, { bearer: null })).status).toBe(401);
    expect((await rpc('tools/list', {}, { bearer: sha256(token) })).status).toBe(401);
    expect(upstreams.calls()).toEqual({ orders: before.orders + 2, status: before.status + 3 });
  });

  it.each([false, true])('answers the status tool (modern era: %s)', async (modern) => {
    const { body } = await rpc(
      'tools/call',
      { name: 'service_status', arguments: { service: 'delivery' } },
      { modern },
    );
    expect(body.result).toMatchObject({
      structuredContent: { service: 'delivery', state: 'delayed', note: 'snow in the north, one day late' },
    });
  });

  it('is described by its connectors as it describes itself', async () => {
    const [rest, mcp] = demoConnectors({ ordersOrigin: upstreams.url, statusOrigin: upstreams.url });
    const document = await (await fetch(`${upstreams.ordersUrl}/openapi.yaml`)).text();
    expect(document).toContain(`operationId: ${rest.tools[0]!.name}`);
    expect([rest.origin! + rest.path, mcp.origin! + mcp.path]).toEqual([
      upstreams.ordersUrl,
      upstreams.statusUrl,
    ]);
    expect(rest.tools[0]!.rest).toEqual({
      method: 'GET',
      path: '/orders',
      parameters: [{ name: 'text', in: 'query' }],
      body: false,
    });
    const { body } = await rpc('tools/list', {});
    const { name, title, description, inputSchema, outputSchema } = mcp.tools[0]!;
    expect(body.result!['tools']).toEqual([
      expect.objectContaining({ name, title, description, inputSchema, outputSchema }),
    ]);
  });
});
