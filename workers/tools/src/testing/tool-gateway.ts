import { exportJWK, generateKeyPair } from 'jose';
import { afterAll } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { runTokenSigner, runTokenVerifier, type RunGrant } from '@agentstore/kernel/auth/run-token';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { connectorDefinition, type ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { testTrust } from '@agentstore/kernel/testing/callers';
import { SecretMissing, type SecretRef } from '@agentstore/kernel/vault/secret-store';
import { createApp } from '../app.ts';
import type { AuditCompletion, AuditDecision } from '../audit/audit-record.ts';
import type { Deps } from '../deps.ts';
import type { ToolSettings } from '../settings.ts';
import type { AppliedPolicy } from '../policy/connector-policy.ts';
import { openCountingUpstream } from './counting-upstream.ts';

export const publicOrigin = 'http://tools.test';
/** Long enough to be no word, with characters that each encoding writes otherwise. */
export const theSecret = 'k3y-"<&>/s3cret+value~9f';

export const settings: ToolSettings = {
  publicOrigin,
  allowedHosts: [],
  maxBodyBytes: 1_048_576,
  maxArgumentBytes: 65_536,
  maxCalls: 1_000,
  maxCallsPerRun: 64,
  mostCallsOfRun: 1_000,
  idempotencyHours: 24,
  secretCacheMs: 60_000,
  secretCacheEntries: 100,
  definitionCacheEntries: 100,
  egress: { ports: [443], privateOrigins: [], maxAgents: 16, connectionsPerOrigin: 64, connectMs: 20_000 },
};

/** The connector of the tests: a key in a header, one tool that reads and one that writes. */
export const ordersConnector = (origin: string, more: object = {}): ConnectorDefinition =>
  connectorDefinition.parse({
    kind: 'REST',
    slug: 'orders',
    name: 'Orders',
    origin,
    path: '/api',
    auth: { type: 'HEADER', name: 'X-Api-Key', field: 'apiKey' },
    timeoutMs: 60_000,
    tools: [
      {
        name: 'find_order',
        title: 'Find an order',
        description: 'Finds an order by its number.',
        inputSchema: {
          type: 'object',
          additionalProperties: false,
          required: ['number'],
          properties: {
            number: { type: 'string', maxLength: 200 },
            view: { enum: ['short', 'full'] },
            'X-Trace': { type: 'string' },
            nested: {},
          },
        },
        risk: 'READ',
        rest: {
          method: 'GET',
          path: '/orders/{number}',
          parameters: [
            { name: 'number', in: 'path' },
            { name: 'view', in: 'query' },
            { name: 'X-Trace', in: 'header' },
          ],
          body: false,
        },
      },
      {
        name: 'cancel_order',
        title: 'Cancel an order',
        description: 'Cancels it.',
        inputSchema: {
          type: 'object',
          additionalProperties: false,
          properties: { number: { type: 'string' } },
        },
        risk: 'WRITE',
        rest: { method: 'POST', path: '/cancellations', parameters: [], body: true },
      },
    ],
    ...more,
  });

/** A gateway on a database of its own, between an upstream that counts and neighbours that note what they are asked, in their order. */
export async function openGateway(more: Partial<ToolSettings> = {}, deps: Partial<Deps> = {}) {
  const upstream = await openCountingUpstream();
  const { database } = await openTestDatabase('tools');
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const kid = 'runs-1';
  const sign = await runTokenSigner({ ...(await exportJWK(privateKey)), kid }, publicOrigin);
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA' }] };
  const { authenticate } = await testTrust('tools');

  /** Every step that can be seen from outside, in its order. */
  const steps: string[] = [];
  const definitions = new Map<string, ConnectorDefinition>();
  const decisions: AuditDecision[] = [];
  const completions: AuditCompletion[] = [];
  const reads: SecretRef[] = [];
  const observed: object[] = [];
  const faults: { audit?: Error; complete?: Error; secret?: Error; owner?: Response } = {};
  const watch = openWatch();

  const organizationId = uuidv7();
  const projectId = uuidv7();
  const instanceId = uuidv7();
  const bindingId = uuidv7();
  const register = (definition: ConnectorDefinition): string => {
    const sha256 = hashOf(definition);
    definitions.set(sha256, definition);
    return sha256;
  };
  const ruleOf = (name: string, definition: string, rule: object = {}) => ({
    action: 'Allow',
    tool: `orders__${name}`,
    name,
    definition,
    bindingId,
    ...rule,
  });
  const orders = register(ordersConnector(upstream.origin));
  const policies = new Map<string, AppliedPolicy>();
  const apply = (rules: readonly object[], spec: object = {}): void =>
    void policies.set(instanceId, {
      instanceId,
      organizationId,
      generation: 7,
      commit: 'c0ffee',
      spec: { organizationId, projectId, desiredPhase: 'Active', defaultAction: 'Deny', rules, ...spec },
    });
  apply([ruleOf('cancel_order', orders), ruleOf('find_order', orders)]);

  const secrets = new Map<string, { version: number; fields: Record<string, string> }>([
    [bindingId, { version: 1, fields: { apiKey: theSecret } }],
  ]);
  const service = (name: string, send: (request: Request) => Promise<Response>) =>
    createServiceClient({ name, baseUrl: `http://${name}`, send });
  const app: App = createApp({
    log: silentLog,
    db: database,
    authenticate,
    runTokens: runTokenVerifier(jwks, publicOrigin),
    serviceToken: async () => 'service-token',
    controlPlane: service('control-plane', async (request) => {
      const url = new URL(request.url);
      if (url.pathname === '/internal/tool-access:watch') return watch.open(request.signal);
      if (url.pathname === '/internal/bindings:observed') {
        observed.push(...((await request.json()) as { items: object[] }).items);
        return Response.json({});
      }
      const definition = definitions.get(url.pathname.split('/').at(-1)!);
      return definition
        ? Response.json(definition)
        : problemResponse({ status: 404, code: 'NOT_FOUND', title: 'There is none.' });
    }),
    ownerAt: (origin) =>
      service('runner', async (request) => {
        steps.push(new URL(request.url).pathname.endsWith('/result') ? 'owner:ended' : 'owner:started');
        return faults.owner?.clone() ?? Response.json({ origin });
      }),
    policies: {
      resourceOf: async (id) => policies.get(id),
      start: () => undefined,
      stop: async () => undefined,
    },
    secrets: {
      async read(ref) {
        steps.push('secret');
        reads.push(ref);
        if (faults.secret) throw faults.secret;
        const found = secrets.get(ref.bindingId);
        if (!found || ref.organizationId !== organizationId) throw new SecretMissing('there is none');
        return {
          version: found.version,
          fields: new Map(Object.entries(found.fields).map(([name, value]) => [name, Buffer.from(value)])),
        };
      },
      ready: async () => undefined,
      close: async () => undefined,
    },
    audit: {
      async decided(record) {
        if (faults.audit) throw faults.audit;
        // The owner is told in parallel: only what comes after the commit counts.
        await new Promise(setImmediate);
        steps.push(`decided:${record.decision}`);
        decisions.push(record);
      },
      async completed(record) {
        if (faults.complete) throw faults.complete;
        steps.push('completed');
        completions.push(record);
      },
    },
    upstreams: {},
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    settings: {
      ...settings,
      ...more,
      egress: { ...settings.egress, privateOrigins: [upstream.origin], ...more.egress },
    },
    ...deps,
  });
  await app.start();
  afterAll(() => app.stop());
  // Secrets are kept once the watch has spoken: it is in this process, so some turns after it was opened it has.
  await watch.opened;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);

  const grant: RunGrant = {
    organizationId,
    projectId,
    instanceId,
    runId: uuidv7(),
    fence: 1,
    owner: 'http://runner.test',
    tools: ['orders__cancel_order', 'orders__find_order'],
    bindings: [bindingId],
  };
  const token = (claims: Partial<RunGrant> = {}): Promise<string> => sign({ ...grant, ...claims }, 600);

  async function invoke(
    toolId: string,
    body: object,
    headers: Record<string, string> = {},
    claims: Partial<RunGrant> = {},
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
    const answer = await app.fetch(
      new Request(`${publicOrigin}/v1/tools/${encodeURIComponent(toolId)}:invoke`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await token(claims)}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify(body),
      }),
    );
    return {
      status: answer.status,
      headers: answer.headers,
      body: (await answer.json()) as Record<string, unknown>,
    };
  }

  /** The same over MCP, in the revision with a handshake that flows speak: what REST says in members of the body goes into `_meta`. */
  async function invokeOverMcp(
    toolId: string,
    body: object,
    headers: Record<string, string> = {},
    claims: Partial<RunGrant> = {},
  ): ReturnType<typeof invoke> {
    const { arguments: sent, ...claimed } = body as Record<string, unknown>;
    const meta = Object.entries(claimed).map(([name, value]) => [`agentstore.dev/${name}`, value]);
    const answer = await app.fetch(
      new Request(`${publicOrigin}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await token(claims)}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
          ...headers,
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: toolId, arguments: sent, _meta: Object.fromEntries(meta) },
        }),
      }),
    );
    const { result, error, ...problem } = (await answer.json()) as {
      result?: { isError?: boolean; structuredContent?: object; _meta: Record<string, unknown> };
      error?: { data?: object };
    };
    const refusal = error?.data ?? (result?.isError ? result.structuredContent : undefined);
    return {
      status: answer.status,
      headers: answer.headers,
      body: { auditId: result?._meta['agentstore.dev/auditId'], ...problem, ...refusal, result },
    };
  }

  return {
    app,
    upstream,
    watch,
    steps,
    decisions,
    completions,
    reads,
    observed,
    faults,
    secrets,
    grant,
    bindingId,
    orders,
    register,
    ruleOf,
    apply,
    token,
    sign,
    jwks,
    publicKey,
    privateKey,
    invoke,
    invokeOverMcp,
    /** The decision about an answer's call. */
    decisionOf: (answer: { body: Record<string, unknown> }) =>
      decisions.find(({ id }) => id === answer.body['auditId']),
  };
}
export type Gateway = Awaited<ReturnType<typeof openGateway>>;

/** The control plane's watch: what a test tells, to whoever listens. */
function openWatch() {
  const listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let cursor = 0;
  const text = (line: object): Uint8Array =>
    new TextEncoder().encode(`${JSON.stringify({ cursor: String(++cursor), ...line })}\n`);
  return {
    opened,
    tell(line: object): void {
      for (const listener of listeners) listener.enqueue(text(line));
    },
    open(signal: AbortSignal): Response {
      let own: ReadableStreamDefaultController<Uint8Array>;
      const close = (): void => {
        listeners.delete(own);
      };
      signal.addEventListener('abort', close);
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            own = controller;
            listeners.add(controller);
            controller.enqueue(text({ type: 'BOOKMARK' }));
            open();
          },
          cancel: close,
        }),
      );
    },
  };
}
