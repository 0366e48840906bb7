import { describe, expect, it } from 'vitest';
import {
  demoArtifact,
  helpDeskArtifact,
  orderDeskArtifact,
} from '../../../../infra/dev/runtime/demo-flow.ts';
import { artifactFaults } from './flow-artifact.ts';
import type { ToolGateway } from './mcp-nodes.ts';

type Template = Record<string, unknown>;
interface Flow {
  data: {
    nodes: { id: string; data: { type: string; node: { template: Template; flow?: unknown } } }[];
    edges: unknown[];
  };
}
type Change = (flow: Flow) => unknown;

const gateway = {
  url: 'http://127.0.0.1:4009/mcp',
  tools: ['orders__find_order', 'status__service_status'],
};
const modelBaseUrl = 'http://127.0.0.1:1/v1';
const read = (bytes: Buffer): Flow => JSON.parse(bytes.toString()) as Flow;
const faultsIn = (flow: Flow, at: ToolGateway = gateway): string =>
  artifactFaults(Buffer.from(JSON.stringify(flow)), at).join('; ');
const changed = (flow: Flow, change: Change): string => {
  change(flow);
  return faultsIn(flow);
};
const demo = (): Flow => read(demoArtifact({ modelBaseUrl }));
const faultsOf = (change: Change): string => changed(demo(), change);
const desk = (): Flow => read(orderDeskArtifact({ modelBaseUrl, gatewayUrl: gateway.url }));

describe('the publish gate', () => {
  it('lets the demo flow through', () => expect(faultsOf(() => undefined)).toBe(''));
  it('lets the flow through that searches in knowledge bases', () => {
    const bytes = helpDeskArtifact({ modelBaseUrl, gatewayUrl: gateway.url });
    expect(artifactFaults(bytes, { ...gateway, tools: ['knowledge__search'] })).toEqual([]);
    expect(artifactFaults(bytes, gateway).join()).toMatch(/knowledge__search is not among/);
  });
  it.each<[string, Change, RegExp]>([
    [
      'a flow without an input',
      (flow) => (flow.data.nodes = flow.data.nodes.filter(({ data }) => data.type !== 'ChatInput')),
      /exactly one ChatInput/,
    ],
    [
      'a node that echoes credentials',
      (flow) => (flow.data.nodes[1]!.data.type = 'APIRequest'),
      /APIRequest is not allowed/,
    ],
    [
      'a literal secret',
      (flow) =>
        (flow.data.nodes[1]!.data.node.template['api_key'] = {
          password: true,
          load_from_db: false,
          value: 'sk-1',
        }),
      /literal secret/,
    ],
    [
      'an MCP server that is a program',
      (flow) =>
        (flow.data.nodes[1]!.data.node.template['mcp_server'] = { value: { config: { command: 'sh' } } }),
      /starts a process/,
    ],
    [
      'an MCP server that is a program, in the older spelling',
      (flow) => {
        flow.data.nodes[1]!.data.type = 'MCPTools';
        flow.data.nodes[1]!.data.node.template['mode'] = { value: 'Stdio' };
      },
      /starts a process/,
    ],
    [
      'what a group hides',
      (flow) => {
        const hidden = { id: 'hidden', data: { type: 'APIRequest', node: { template: {} } } };
        const group = {
          data: {
            nodes: [{ id: 'g', data: { type: 'Group', node: { flow: { data: { nodes: [hidden] } } } } }],
          },
        };
        Object.assign(flow.data.nodes[1]!.data.node, { flow: group });
      },
      /hidden: APIRequest is not allowed/,
    ],
    [
      'too many nodes',
      (flow) => flow.data.nodes.push(...Array.from({ length: 201 }, () => flow.data.nodes[1]!)),
      /more than 200 nodes/,
    ],
  ])('refuses %s', (_name, change, words) => expect(faultsOf(change)).toMatch(words));
  it.each([
    ['not JSON', '{'],
    ['no flow', '{}'],
    ['null', 'null'],
  ])('refuses %s', (_name, text) => expect(artifactFaults(Buffer.from(text), gateway)).not.toEqual([]));
});

describe('the publish gate for tools', () => {
  /** The template of the order desk's first tool node, its server's config, and how to change either. */
  const tool = (flow: Flow): Template =>
    flow.data.nodes.find(({ id }) => id === 'MCPTools-order')!.data.node.template;
  const set =
    (field: string, spec: unknown): Change =>
    (flow) =>
      (tool(flow)[field] = spec);
  const server =
    (
      change: (
        server: { name?: unknown; config: Record<string, unknown> } & Record<string, unknown>,
      ) => unknown,
    ): Change =>
    (flow) =>
      change((tool(flow)['mcp_server'] as { value: { config: Record<string, unknown> } }).value);
  const config = (member: string, value: unknown): Change => server((one) => (one.config[member] = value));
  const wireTo =
    (targetHandle: unknown): Change =>
    (flow) =>
      flow.data.edges.push({ source: 'ChatInput-1', target: 'MCPTools-order', data: { targetHandle } });
  const grouped =
    (template: Template): Change =>
    (flow) => {
      const inner = flow.data.nodes.splice(1, 1);
      const middle = {
        id: 'g-2',
        data: { type: 'Group', node: { template, flow: { data: { nodes: inner, edges: [] } } } },
      };
      flow.data.nodes.push({
        id: 'g-1',
        data: { type: 'Group', node: { template: {}, flow: { data: { nodes: [middle], edges: [] } } } },
      });
    };

  it('lets the order desk through, in a group too, and as the editor writes its nodes', () => {
    expect(faultsIn(desk())).toBe('');
    expect(changed(desk(), grouped({}))).toBe('');
    expect(changed(desk(), config('verify_ssl', true))).toBe('');
    expect(changed(desk(), set('headers', { value: [] }))).toBe('');
  });

  it('knows tools by the connectors of the version, when it has any', () => {
    expect(faultsIn(desk(), { ...gateway, tools: ['orders__find_order'] })).toMatch(
      /^MCPTools-status: the tool status__service_status is not among the connectors/,
    );
    expect(faultsIn(desk(), { ...gateway, tools: undefined })).toBe('');
    expect(changed(desk(), set('tool', { value: '' }))).toBe('');
    expect(artifactFaults(Buffer.from(JSON.stringify(desk())), undefined)).toContain(
      'MCPTools-order: this store has no tool gateway',
    );
  });

  it.each<[string, Change, RegExp]>([
    ['another server', config('url', 'http://127.0.0.1:4009/mcp/'), /config.url must be http/],
    ['a variable in the address', config('url', 'http://{{HOST}}/mcp'), /config.url must be http/],
    ['a server known by name only', set('mcp_server', { value: 'gateway' }), /config.url must be http/],
    ['no header', config('headers', {}), /headers must be exactly/],
    ['a literal token', config('headers', { Authorization: 'Bearer abc' }), /headers must be exactly/],
    ['a whole-value variable', config('headers', { Authorization: 'RUNTOKEN' }), /headers must be exactly/],
    [
      'one header more',
      config('headers', { Authorization: 'Bearer {{RUNTOKEN}}', 'x-api-key': 'k' }),
      /headers must be exactly/,
    ],
    [
      'headers as a list',
      config('headers', [{ key: 'Authorization', value: 'Bearer {{RUNTOKEN}}' }]),
      /headers must be exactly/,
    ],
    [
      'headers of the node',
      set('headers', { value: [{ key: 'Authorization', value: 'Bearer {{RUNTOKEN}}' }] }),
      /headers belong in/,
    ],
    ['a program', config('command', 'sh'), /starts a process/],
    ['arguments of a program', config('args', ['-c', 'id']), /may not have args/],
    ['an environment', config('env', { A: 'b' }), /may not have env/],
    ['an unknown member', server((one) => (one['transport'] = 'x')), /may not have transport/],
    ['the older transport', config('mode', 'SSE'), /mode must be/],
    ['no check of certificates', set('verify_ssl', { value: false }), /verify_ssl must be true/],
    ['no check of certificates, told otherwise', config('verify_ssl', false), /verify_ssl must be true/],
    ['another tool', set('tool', { value: 'orders__drop_all' }), /orders__drop_all is not among/],
    ['a tool that is no text', set('tool', { value: { $ne: '' } }), /is not among/],
    ['a tool by a variable', set('tool', { value: 'RUNTOKEN_', load_from_db: true }), /may not choose/],
    ['an older MCP node', (flow) => (flow.data.nodes[1]!.data.type = 'MCPSse'), /MCPSse is not allowed/],
    [
      'an MCP field in another node',
      (flow) => (flow.data.nodes[0]!.data.node.template['s'] = { type: 'mcp', value: {} }),
      /ChatInput is not allowed: tools are called by MCPTools/,
    ],
    ['a wire that chooses the server', wireTo({ fieldName: 'mcp_server' }), /a wire ends at mcp_server/],
    ['a wire that chooses it in other words', wireTo({ name: 'mcp_server' }), /a wire ends at mcp_server/],
    [
      'a wire through a group',
      wireTo({ fieldName: 'x', proxy: { id: 'MCPTools-order', field: 'headers' } }),
      /a wire ends at headers/,
    ],
    ['a wire to nowhere', wireTo('œmcp_serverœ'), /does not say where it ends/],
    [
      'a group that replaces the server of a node two levels inside',
      grouped({ s: { proxy: { id: 'MCPTools-order', field: 'mcp_server' }, value: {} } }),
      /g-2.s replaces mcp_server/,
    ],
    [
      "the run's token as an argument",
      set('text', { value: 'RUNTOKEN', load_from_db: true }),
      /MCPTools-order.text takes the run's token/,
    ],
  ])('refuses %s', (_name, change, words) => expect(changed(desk(), change)).toMatch(words));

  it.each([
    ['an API key', `sk-${'proj-a1B2c3D4e5F6g7H8'}`],
    ['a GitHub token', `ghp_${'a1B2c3D4e5'.repeat(3)}`],
    ['an AWS access key', `AKIA${'ABCDEFGH23456789'}`],
    ['a JSON Web Token', `eyJhbGciOiJub25lIn0.${'eyJzdWIiOiJhIn0'}.`],
    ['a private key', `-----BEGIN ${'PRIVATE KEY'}-----`],
    ['a Vault token', `hvs.${'CAESIJ1234567890abcdefgh'}`],
    ['a random word', 'q7Rk2ZpX9vLm4TsW8bYc3NdF6hJg1AeU'],
  ])('finds %s wherever it is in a template', (kind, key) => {
    const fault = `Prompt-1.template holds a literal secret (${kind})`;
    const put =
      (spec: unknown): Change =>
      (flow) =>
        (flow.data.nodes.find(({ id }) => id === 'Prompt-1')!.data.node.template['template'] = spec);
    expect(changed(demo(), put({ value: `use ${key}, please` }))).toBe(fault);
    expect(changed(demo(), put({ value: [{ deep: { [key]: 1 } }] }))).toBe(fault);
    expect(changed(demo(), put({ placeholder: key }))).toBe(fault);
  });

  it('finds no secret in what only looks long, nor in code, and is not held up by nesting or repetition', () => {
    const fine = [
      'ConversationSummaryBufferMemoryComponent2',
      '3f2b8c1e-9a47-4d0e-8b7a-5c6d7e8f9a0b',
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4',
    ];
    const put = (field: string, value: unknown): string =>
      faultsOf((flow) => (flow.data.nodes[1]!.data.node.template[field] = { value }));
    expect(fine.map((value) => put('x', value))).toEqual(fine.map(() => ''));
    expect(put('code', 'q7Rk2ZpX9vLm4TsW8bYc3NdF6hJg1AeU')).toBe('');
    expect(put('x', 'eyJ-sk-'.repeat(250_000))).toMatch(/an API key/);
    const nested = demo();
    nested.data.nodes[1]!.data.node.template['x'] = { value: 'NEST' };
    const text = JSON.stringify(nested).replace('"NEST"', '['.repeat(400_000) + ']'.repeat(400_000));
    expect(artifactFaults(Buffer.from(text), gateway)).toEqual([]);
  });
});
