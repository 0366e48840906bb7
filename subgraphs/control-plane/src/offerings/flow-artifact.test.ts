import { describe, expect, it } from 'vitest';
import { demoArtifact } from '../../../../infra/dev/runtime/demo-flow.ts';
import { artifactFaults } from './flow-artifact.ts';

const demo = () =>
  JSON.parse(demoArtifact({ modelBaseUrl: 'http://127.0.0.1:1/v1' }).toString()) as {
    data: { nodes: { id: string; data: { type: string; node: { template: Record<string, unknown> } } }[] };
  };
const faultsOf = (change: (flow: ReturnType<typeof demo>) => unknown) => {
  const flow = demo();
  change(flow);
  return artifactFaults(Buffer.from(JSON.stringify(flow))).join('; ');
};

describe('the publish gate', () => {
  it('lets the demo flow through', () => expect(faultsOf(() => undefined)).toBe(''));
  it.each<[string, (flow: ReturnType<typeof demo>) => unknown, RegExp]>([
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
  ])('refuses %s', (_name, text) => expect(artifactFaults(Buffer.from(text))).not.toEqual([]));
});
