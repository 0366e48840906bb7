/**
 * The client under test of the conformance suite's client scenarios: our adapter of upstream MCP servers. It pins what the server lists, as an import into the store
 * does, and calls each tool once, or what the
 * scenario says. The suite appends the server's URL.
 */
import { hashOf } from '@agentstore/kernel/canonical-json';
import type { ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import { uuidv7 } from '@agentstore/kernel/ids';
import { createEgressGuard, systemResolve } from '@agentstore/tools/egress/egress-guard';
import { listUpstreamTools } from '@agentstore/tools/testing/list-upstream-tools';
import { mcpUpstream } from '@agentstore/tools/upstream/mcp/mcp-upstream';
import { z } from 'zod';

const url = new URL(process.argv.at(-1) ?? '');
const tools = await listUpstreamTools(url);
const definition: ConnectorDefinition = {
  kind: 'MCP',
  slug: 'suite',
  name: 'Suite',
  origin: url.origin,
  path: url.pathname,
  auth: { type: 'NONE' },
  tools,
  timeoutMs: 10_000,
  maxResponseBytes: 1_048_576,
};
const egress = createEgressGuard(
  { ports: [], privateOrigins: [url.origin], maxAgents: 1, connectionsPerOrigin: 4, connectMs: 2_000 },
  systemResolve,
);
const adapter = mcpUpstream({ entries: 1 });
for (const call of callsOf(process.env['MCP_CONFORMANCE_CONTEXT'])) {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) throw new Error(`there is no tool ${call.name}`);
  const { result } = await adapter.call({
    definition,
    definitionHash: hashOf(definition),
    tool,
    arguments: call.arguments,
    tenant: { organizationId: uuidv7(), projectId: uuidv7() },
    secret: null,
    credentialId: 'none',
    idempotencyKey: null,
    egress: egress.route(url.origin),
    signal: AbortSignal.timeout(10_000),
    deadline: performance.now() + 10_000,
  });
  process.stdout.write(`${tool.name}: ${JSON.stringify(result)}\n`);
}
await adapter.close();
await egress.close();

function callsOf(context: string | undefined): { name: string; arguments: Record<string, unknown> }[] {
  const wanted = z
    .object({
      toolCalls: z.array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) })),
    })
    .safeParse(JSON.parse(context ?? '{}'));
  return wanted.success
    ? wanted.data.toolCalls
    : tools.map(({ name, inputSchema }) => ({ name, arguments: argumentsFor(inputSchema) }));
}

/** A value for each property of the schema. */
function argumentsFor(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = {
    integer: 3,
    number: 3,
    boolean: true,
    array: [],
    object: {},
  };
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, { type?: string }>);
  return Object.fromEntries(properties.map(([name, { type }]) => [name, values[type ?? ''] ?? 'text']));
}
