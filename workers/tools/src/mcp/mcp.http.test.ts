import { silentLog } from '@agentstore/kernel/log';
import { activeTraceId } from '@agentstore/kernel/http/trace';
import { createServiceApp } from '@agentstore/kernel/http/service-app';
import { bodyLimit } from '@agentstore/kernel/http/server';
import { listen } from '@agentstore/kernel/testing/http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { refuseForeignHosts } from '../calls/foreign-hosts.ts';
import { ToolRefusal, toolRefusals, type ToolRefusalCode } from '../calls/refusals.ts';
import type { ToolCalls } from '../calls/tool-call.ts';
import {
  anAuditId,
  answeredWith,
  refusedWith,
  smallToolCalls,
  visible,
} from '../testing/small-tool-calls.ts';
import { mcpFormOf } from './mcp-answer.ts';
import { mcpRoutes } from './mcp.http.ts';

const codes = Object.keys(toolRefusals) as ToolRefusalCode[];
const eras = ['modern', 'legacy'] as const;
type Era = (typeof eras)[number];

async function gateway(calls: ToolCalls, maxBodyBytes = 1_048_576): Promise<URL> {
  const app = createServiceApp({
    log: silentLog,
    authenticate: () => Promise.reject(new Error('no service calls here')),
    ready: async () => undefined,
    open: ['/mcp', '/.well-known/*'],
  });
  const hosts: string[] = [];
  mcpRoutes(app, {
    calls,
    log: silentLog,
    settings: { publicOrigin: 'https://tools.example.com', maxBodyBytes },
  });
  const settings = { publicOrigin: 'https://tools.example.com', allowedHosts: hosts };
  const server = await listen(
    (request) => Promise.resolve(refuseForeignHosts(settings, (r) => app.fetch(r))(request)),
    bodyLimit(maxBodyBytes),
  );
  hosts.push(new URL(server.origin).host);
  return new URL('/mcp', server.origin);
}

async function clientOf(url: URL, token: string, era: Era, name = 'a-flow'): Promise<Client> {
  const client = new Client(
    { name, version: '1' },
    { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(url, {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return client;
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** One raw message, of the revision without a handshake unless `era` says otherwise. */
function post(
  url: URL,
  method: string,
  params: Record<string, unknown>,
  options: { era?: Era; token?: string | null; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const isModern = options.era !== 'legacy';
  const name = params['name'];
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(options.token !== null && { authorization: `Bearer ${options.token ?? 'a'}` }),
      ...(isModern && { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method }),
      ...(isModern && typeof name === 'string' && { 'mcp-name': name }),
      ...options.headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method,
      params: isModern ? { ...params, _meta: { ...envelope, ...(params['_meta'] as object) } } : params,
    }),
    ...(options.signal && { signal: options.signal }),
  });
}

const echo = { name: 'a__echo', arguments: { text: 'hi' } };

describe.each(eras)('the official client of the %s era', (era) => {
  test('lists what its run may call, and calls it', async () => {
    const calls = smallToolCalls();
    const client = await clientOf(await gateway(calls), 'a', era);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['a__echo', 'shared__tool']);
    expect(tools[0]).toMatchObject({
      title: 'a__echo',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      annotations: { readOnlyHint: true, destructiveHint: false },
    });
    const result = await client.callTool(echo);
    expect(result.content).toEqual([{ type: 'text', text: 'a:{"text":"hi"}' }]);
    expect(result._meta).toMatchObject({
      'agentstore.dev/auditId': anAuditId,
      'agentstore.dev/untrusted': true,
    });
    expect(calls.seen).toMatchObject([{ channel: 'MCP', toolId: 'a__echo', arguments: { text: 'hi' } }]);
  });

  test('two runs interleaved: each is answered by its own token', async () => {
    const url = await gateway(smallToolCalls());
    const [a, b] = await Promise.all([clientOf(url, 'a', era), clientOf(url, 'b', era)]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? b : a).callTool({ name: 'shared__tool', arguments: { n } }),
      ),
    );
    expect(answers.map(({ content }) => content[0])).toEqual(
      Array.from({ length: 20 }, (_, n) => ({ type: 'text', text: `${n % 2 ? 'b' : 'a'}:{"n":${n}}` })),
    );
    expect((await b.listTools()).tools.map(({ name }) => name)).toEqual(['b__echo', 'shared__tool']);
  });

  test('structured content arrives beside the text', async () => {
    const calls = smallToolCalls(async () =>
      answeredWith({
        content: [{ type: 'text', text: '{"n":1}' }],
        structuredContent: { n: 1 },
        isError: false,
      }),
    );
    const client = await clientOf(await gateway(calls), 'a', era);
    expect((await client.callTool(echo)).structuredContent).toEqual({ n: 1 });
  });

  test('key, binding, claimed tenants and trace ride in _meta', async () => {
    let trace: string | undefined;
    const calls = smallToolCalls(async () => {
      trace = activeTraceId();
      return answeredWith({ content: [], isError: false });
    });
    const client = await clientOf(await gateway(calls), 'a', era);
    await client.callTool({
      ...echo,
      _meta: {
        traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
        'agentstore.dev/idempotencyKey': 'once',
        'agentstore.dev/bindingId': '../../other',
        'agentstore.dev/organizationId': 'somebody-else',
      },
    });
    expect(calls.seen).toMatchObject([
      {
        idempotencyKey: 'once',
        bindingId: '../../other',
        claimed: { organizationId: 'somebody-else' },
      },
    ]);
    expect(trace).toBe('ab'.repeat(16));
  });

  test.each(codes.filter((code) => mcpFormOf(code) === 'TOOL_ERROR'))(
    '%s is told to the model',
    async (code) => {
      const client = await clientOf(
        await gateway(smallToolCalls(async () => refusedWith(code, { path: '/text' }))),
        'a',
        era,
      );
      expect(await client.callTool(echo)).toMatchObject({
        isError: true,
        content: [{ type: 'text', text: `${code}: for a reason (audit ${anAuditId})` }],
        structuredContent: { code, auditId: anAuditId, path: '/text' },
      });
    },
  );

  test.each(codes.filter((code) => mcpFormOf(code) === 'JSON_RPC_ERROR'))(
    '%s is an error that names the code and the audit entry',
    async (code) => {
      const url = await gateway(smallToolCalls(async () => refusedWith(code)));
      const response = await post(url, 'tools/call', echo, { era });
      expect(response.status).toBe(era === 'modern' ? toolRefusals[code].status : 200);
      expect(await response.json()).toMatchObject({
        id: 7,
        error: {
          message: `${code}: for a reason (audit ${anAuditId})`,
          data: { code, auditId: anAuditId },
        },
      });
    },
  );

  test('a fault of ours is masked', async () => {
    const calls = smallToolCalls(() => Promise.reject(new Error('at /srv/secret.ts: hunter2')));
    const response = await post(await gateway(calls), 'tools/call', echo, { era });
    expect(await response.text()).toContain('"Something went wrong on our side."');
  });

  test('a caller who hangs up cancels the call', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    const calls = smallToolCalls(async (_grant, { signal }) => {
      begin();
      signal.addEventListener('abort', () => cancel());
      await cancelled;
      return refusedWith('UPSTREAM_UNAVAILABLE');
    });
    const hangUp = new AbortController();
    const asked = post(await gateway(calls), 'tools/call', echo, { era, signal: hangUp.signal });
    await begun;
    hangUp.abort();
    await expect(asked).rejects.toThrow('aborted');
    await expect(cancelled).resolves.toBeUndefined();
  });

  test('a member __proto__ of the arguments comes to the pipeline as it was sent', async () => {
    const calls = smallToolCalls();
    const url = await gateway(calls);
    const isModern = era === 'modern';
    await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: 'Bearer a',
        ...(isModern && {
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': 'a__echo',
        }),
      },
      body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__echo","arguments":{"__proto__":{"admin":true}},"_meta":${JSON.stringify(isModern ? envelope : {})}}}`,
    });
    expect(Object.keys(calls.seen[0]?.arguments as object)).toEqual(['__proto__']);
  });
});

const lfxHeaders = {
  'user-agent': 'python-httpx/0.28.1',
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
};
const lfxLater = {
  ...lfxHeaders,
  'mcp-session-id': 's-1795350329896720947',
  'mcp-protocol-version': '2025-11-25',
};
const recorded = [
  {
    method: 'POST',
    headers: lfxHeaders,
    body: {
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'mcp', version: '0.1.0' },
      },
      jsonrpc: '2.0',
      id: 0,
    },
    status: 200,
    type: 'application/json',
    answer: { id: 0, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} } } },
  },
  {
    method: 'POST',
    headers: lfxLater,
    body: { method: 'notifications/initialized', jsonrpc: '2.0' },
    status: 202,
    type: null,
    answer: null,
  },
  {
    method: 'GET',
    headers: lfxLater,
    body: null,
    status: 405,
    type: 'application/json',
    answer: { error: {} },
  },
  {
    method: 'POST',
    headers: lfxLater,
    body: { method: 'tools/list', jsonrpc: '2.0', id: 1 },
    status: 200,
    type: 'application/json',
    answer: { id: 1, result: { tools: [{ name: 'a__echo' }, { name: 'shared__tool' }] } },
  },
  {
    method: 'POST',
    headers: lfxLater,
    body: {
      method: 'tools/call',
      params: { name: 'echo_tool', arguments: { text: 'ping' } },
      jsonrpc: '2.0',
      id: 2,
    },
    status: 200,
    type: 'application/json',
    answer: { id: 2, result: { content: [{ type: 'text', text: 'a:{"text":"ping"}' }] } },
  },
];

describe('what lfx 1.13 sends', () => {
  // Recorded from its MCP node (client mcp 0.1.0 of python mcp 1.30): it keeps the session id that its server of that day gave it.
  test.each(recorded)('$method $body.method', async ({ method, headers, body, status, type, answer }) => {
    const url = await gateway(smallToolCalls());
    const response = await fetch(url, {
      method,
      headers: { ...headers, authorization: 'Bearer a' },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    const text = await response.text();
    expect(JSON.parse(text || '[null]')).toMatchObject(answer ?? [null]);
  });
});

describe('who may speak', () => {
  test.each([null, 'Bearer {{RUNTOKEN}}', 'Bearer ', 'Basic YTpi', 'Bearer c'])(
    '%s is 401',
    async (authorization) => {
      const response = await fetch(await gateway(smallToolCalls()), {
        method: 'POST',
        headers: authorization === null ? {} : { authorization },
        body: 'not even JSON',
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer ${authorization === null ? '' : 'error="invalid_token", '}resource_metadata="https://tools.example.com/.well-known/oauth-protected-resource"`,
      );
      expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  test('the protected resource describes itself', async () => {
    const url = await gateway(smallToolCalls());
    for (const path of ['', '/mcp'])
      expect(
        await (await fetch(new URL(`/.well-known/oauth-protected-resource${path}`, url))).json(),
      ).toEqual({
        resource: 'https://tools.example.com',
        resource_name: 'Agent Store tool gateway',
        bearer_methods_supported: ['header'],
      });
  });

  test.each([{ origin: 'https://evil.example.com' }, { origin: 'null' }])(
    'a page from elsewhere is refused before its token is looked at',
    async (headers) => {
      const calls = smallToolCalls();
      const response = await post(await gateway(calls), 'tools/call', echo, { token: null, headers });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'FOREIGN_HOST' });
    },
  );

  test('sessions are not: a session id of another run grants nothing', async () => {
    const url = await gateway(smallToolCalls());
    const initialized = await post(
      url,
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'mcp', version: '0.1.0' } },
      { era: 'legacy' },
    );
    expect(initialized.headers.get('mcp-session-id')).toBeNull();
    const headers = { 'mcp-session-id': 'of-a', 'mcp-protocol-version': '2025-11-25' };
    const listed = await post(url, 'tools/list', {}, { era: 'legacy', token: 'b', headers });
    expect(await listed.json()).toMatchObject({
      result: { tools: [{ name: 'b__echo' }, { name: 'shared__tool' }] },
    });
    const unknown = await post(url, 'tools/list', {}, { era: 'legacy', token: 'c', headers });
    expect(unknown.status).toBe(401);
  });

  test.each(['GET', 'DELETE', 'PUT'])('%s is not served', async (method) => {
    const response = await fetch(await gateway(smallToolCalls()), {
      method,
      headers: { authorization: 'Bearer a', accept: 'text/event-stream' },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('what is no good message', () => {
  test.each<[string, Record<string, string>, number]>([
    ['another tool in the header', { 'mcp-name': 'shared__tool' }, -32020],
    ['another method in the header', { 'mcp-method': 'tools/list' }, -32020],
    ['a revision in the header that the body has not', { 'mcp-protocol-version': '2025-11-25' }, -32020],
    ['a name that is no base64 though it says so', { 'mcp-name': '=?base64?%%%?=' }, -32020],
  ])('%s is 400', async (_what, headers, code) => {
    const calls = smallToolCalls();
    const response = await post(await gateway(calls), 'tools/call', echo, { headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(calls.seen).toEqual([]);
  });

  test('a revision that is not served names those that are', async () => {
    const response = await post(
      await gateway(smallToolCalls()),
      'tools/list',
      { _meta: { 'io.modelcontextprotocol/protocolVersion': '2031-01-01' } },
      { headers: { 'mcp-protocol-version': '2031-01-01' } },
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: -32022, data: { supported: ['2026-07-28'] } },
    });
  });

  test('what an upstream needs of its client and this one did not offer', async () => {
    const calls = smallToolCalls(async () =>
      refusedWith('UPSTREAM_INVALID', { requiredCapabilities: { sampling: {} } }),
    );
    const url = await gateway(calls);
    const response = await post(url, 'tools/call', echo);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: -32021, data: { requiredCapabilities: { sampling: {} } } },
    });
    const offered = await post(url, 'tools/call', {
      ...echo,
      _meta: { 'io.modelcontextprotocol/clientCapabilities': { sampling: {} } },
    });
    expect(await offered.json()).toMatchObject({ result: { isError: true } });
  });

  test.each<[string, number, string]>([
    ['{', 400, 'The body is not JSON.'],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, 'The body is not one JSON-RPC message.'],
    [`"${'x'.repeat(5_000_000)}"`, 413, 'BODY_TOO_LARGE'],
  ])('%.20s is refused', async (body, status, said) => {
    const response = await fetch(await gateway(smallToolCalls()), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: 'Bearer a',
      },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(said);
  });

  test('a stream of changes is not served', async () => {
    const response = await post(await gateway(smallToolCalls()), 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ id: 7, error: { code: -32601 } });
  });
});

test('a list is private, and says no header in which arguments would be repeated', async () => {
  const inputSchema = {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  };
  const calls = { ...smallToolCalls(), list: async () => [visible('a__echo', { inputSchema })] };
  const listed = await (await post(await gateway(calls), 'tools/list', {})).text();
  expect(listed).not.toContain('x-mcp-header');
  expect(JSON.parse(listed)).toMatchObject({
    result: {
      cacheScope: 'private',
      ttlMs: 5_000,
      tools: [{ inputSchema: { type: 'object', properties: { region: { type: 'string' } } } }],
    },
  });
});

test.each<[ToolRefusalCode, Record<string, unknown>, string | null]>([
  ['SECRET_STORE_UNAVAILABLE', {}, '2'],
  ['TOO_MANY_CALLS', { retryAfterSeconds: 9 }, '9'],
  ['TOOL_DENIED', {}, null],
])('%s says when to come again, or that it makes no sense', async (code, facts, seconds) => {
  const url = await gateway(smallToolCalls(async () => refusedWith(code, facts)));
  expect((await post(url, 'tools/call', echo)).headers.get('retry-after')).toBe(seconds);
});

test('a run whose grant is gone is told so when it lists', async () => {
  const calls = {
    ...smallToolCalls(),
    list: () => Promise.reject(new ToolRefusal('INSTANCE_NOT_ACTIVE')),
  };
  const response = await post(await gateway(calls), 'tools/list', {});
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: { data: { code: 'INSTANCE_NOT_ACTIVE' } } });
});
