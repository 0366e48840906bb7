import { exportJWK, generateKeyPair } from 'jose';
import { runTokenSigner, runTokenVerifier } from '@agentstore/kernel/auth/run-token';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { toolIdOf } from '@agentstore/kernel/connector-definition';
import { bodyLimit, serve } from '@agentstore/kernel/http/server';
import { createServiceApp } from '@agentstore/kernel/http/service-app';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { createCallLimits } from '@agentstore/tools/calls/call-limits';
import { refuseForeignHosts } from '@agentstore/tools/calls/foreign-hosts';
import { createToolCalls } from '@agentstore/tools/calls/invoke-tool';
import type { ToolCalls } from '@agentstore/tools/calls/tool-call';
import { createEgressGuard, systemResolve } from '@agentstore/tools/egress/egress-guard';
import { mcpRoutes } from '@agentstore/tools/mcp/mcp.http';
import { createSecretCache } from '@agentstore/tools/secrets/secret-cache';
import { fixtureDefinition, fixtureMcpServer } from '@agentstore/tools/testing/fixture-mcp-server';
import { mcpUpstream } from '@agentstore/tools/upstream/mcp/mcp-upstream';
import { openFront } from './front.ts';

const upstreamToken = 'the-bindings-own';
const maxBodyBytes = 1_048_576;

/** The suite's fixture behind the gateway: its own pipeline and `/mcp` over HTTP; policy, audit, run owner and secrets in memory. `url` is the front that brings the run token. */
export async function openGateway(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const upstream = await serve({
    fetch: fixtureMcpServer({ token: upstreamToken }),
    port: 0,
    log: silentLog,
  });
  const definition = fixtureDefinition(upstream.origin);
  const sha256 = hashOf(definition);
  const [organizationId, projectId, instanceId, bindingId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const rules = definition.tools.map(({ name }) => ({
    action: 'Allow',
    tool: toolIdOf(definition.slug, name),
    name,
    definition: sha256,
    bindingId,
  }));

  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const publicOrigin = 'http://gateway.test';
  const sign = await runTokenSigner({ ...(await exportJWK(privateKey)), kid: 'runs' }, publicOrigin);
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'runs', alg: 'EdDSA' }] };
  const token = await sign(
    {
      organizationId,
      projectId,
      instanceId,
      runId: uuidv7(),
      fence: 1,
      owner: 'http://runner.test',
      tools: rules.map(({ tool }) => tool),
      bindings: [bindingId],
    },
    900,
  );

  const egress = createEgressGuard(
    {
      ports: [],
      privateOrigins: [upstream.origin],
      maxAgents: 4,
      connectionsPerOrigin: 16,
      connectMs: 2_000,
    },
    systemResolve,
  );
  const adapter = mcpUpstream({ entries: 10 });
  const calls = createToolCalls({
    log: silentLog,
    runTokens: runTokenVerifier(jwks, publicOrigin),
    policies: {
      resourceOf: async () => ({
        instanceId,
        organizationId,
        generation: 1,
        commit: 'c0ffee',
        spec: { organizationId, projectId, desiredPhase: 'Active', rules },
      }),
    },
    definitions: { get: async () => definition },
    access: {
      isRevoked: () => false,
      phaseOf: () => undefined,
      during: (_binding, work) => work(new AbortController().signal),
    },
    limits: createCallLimits({ maxCalls: 100, maxCallsPerRun: 100, mostCallsOfRun: 10_000 }),
    keys: {
      claim: async () => ({ kind: 'CLAIMED' }),
      keep: async () => undefined,
      free: async () => undefined,
    },
    audit: { decided: async () => undefined, completed: async () => undefined },
    owner: { started: async () => undefined, ended: async () => undefined },
    secrets: createSecretCache({
      reader: {
        read: async () => ({ version: 1, fields: new Map([['token', Buffer.from(upstreamToken)]]) }),
      },
      ttlMs: 60_000,
      entries: 10,
      isCurrent: () => true,
    }),
    observed: { used: () => undefined },
    egress,
    upstreams: { MCP: adapter },
    maxArgumentBytes: 65_536,
  });

  const app = createServiceApp({
    log: silentLog,
    authenticate: () => Promise.reject(new Error('nobody calls the internal REST')),
    ready: async () => undefined,
    open: ['/mcp', '/.well-known/*'],
  });
  mcpRoutes(app, {
    calls: byBareNames(calls, definition.slug),
    log: silentLog,
    settings: { publicOrigin, maxBodyBytes },
  });
  const hosts: string[] = [];
  const gateway = await serve({
    // Made for each request: the front's host is known when both listen.
    fetch: async (request) =>
      refuseForeignHosts({ publicOrigin, allowedHosts: hosts }, (own) => app.fetch(own))(request),
    port: 0,
    log: silentLog,
    bodies: bodyLimit(maxBodyBytes),
  });
  const front = await openFront(gateway.origin, `Bearer ${token}`);
  hosts.push(front.host);
  return {
    url: `http://${front.host}/mcp`,
    async close() {
      front.close();
      await gateway.close(0);
      await Promise.all([adapter.close(), egress.close(), upstream.close(0)]);
    },
  };
}

/** The suite asks for tools by the names that it gave them; the gateway's own begin with their connector's. */
function byBareNames(calls: ToolCalls, slug: string): ToolCalls {
  return {
    authenticate: (authorization) => calls.authenticate(authorization),
    list: async (grant) =>
      (await calls.list(grant)).map((tool) => ({
        ...tool,
        toolId: tool.toolId.slice(toolIdOf(slug, '').length),
      })),
    invoke: (grant, call) => calls.invoke(grant, { ...call, toolId: toolIdOf(slug, call.toolId) }),
  };
}
