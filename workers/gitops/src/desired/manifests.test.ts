import { describe, expect, it } from 'vitest';
import { crdValidators, readManifest } from '../applier/crd-schemas.ts';
import { changesOf, messageOf } from '../writer/write-desired-state.task.ts';
import type { QueuedState } from './desired-state.ts';
import { manifestsOf, yamlOf } from './manifests.ts';

const state = (change: Partial<QueuedState> = {}): QueuedState => ({
  outboxId: '0198f3a0-0000-7000-8000-000000000001',
  instanceId: '0198f3a0-0000-7000-8000-0000000000aa',
  generation: 1,
  organizationId: '0198f3a0-0000-7000-8000-0000000000bb',
  organizationSlug: 'acme',
  projectId: '0198f3a0-0000-7000-8000-0000000000cc',
  projectSlug: 'default',
  actor: 'user:x',
  phase: 'Active',
  offering: { id: 'o', slug: 'support-agent' },
  version: { id: 'v', version: '1.0.0' },
  artifact: { bucket: 'artifacts', key: 'a.json', sha256: 'a'.repeat(64), sizeBytes: 10 },
  plan: { id: 'p', code: 'pro' },
  config: {},
  limits: { maxRunSeconds: 300, maxConcurrentRuns: 5 },
  entitlements: [
    { capability: 'chat', limits: {} },
    { capability: 'api', limits: {} },
  ],
  connectorRules: [
    {
      tool: 'orders__find_order',
      action: 'Allow',
      name: 'find_order',
      definition: 'd'.repeat(64),
      bindingId: '0198f3a0-0000-7000-8000-0000000000dd',
      arguments: { type: 'object', properties: { region: { const: 'eu' }, id: { maxLength: 9 } } },
    },
    { tool: 'orders__cancel_order', action: 'Deny' },
  ],
  ...change,
});

describe('the manifests of an instance', () => {
  it('are the same bytes for the same state, whatever else is true', () => {
    const text = (one: QueuedState) => manifestsOf(one).map(yamlOf).join('---\n');
    expect(text(state())).toBe(
      text(
        state({
          outboxId: 'other',
          actor: 'user:y',
          entitlements: [
            { capability: 'api', limits: {} },
            { capability: 'chat', limits: {} },
          ],
          connectorRules: [
            { action: 'Deny', tool: 'orders__cancel_order' },
            {
              arguments: { properties: { id: { maxLength: 9 }, region: { const: 'eu' } }, type: 'object' },
              bindingId: '0198f3a0-0000-7000-8000-0000000000dd',
              definition: 'd'.repeat(64),
              name: 'find_order',
              action: 'Allow',
              tool: 'orders__find_order',
            },
          ],
        }),
      ),
    );
    expect(text(state())).toMatchInlineSnapshot(`
      "apiVersion: agentstore.dev/v1alpha1
      kind: GatewayRoute
      metadata:
        name: 0198f3a0-0000-7000-8000-0000000000aa
        labels:
          agentstore.dev/instance: 0198f3a0-0000-7000-8000-0000000000aa
          agentstore.dev/organization: acme
          agentstore.dev/project: default
      spec:
        instanceId: 0198f3a0-0000-7000-8000-0000000000aa
        organizationId: 0198f3a0-0000-7000-8000-0000000000bb
        generation: 1
        desiredPhase: Active
        path: /v1/instances/SW5zdGFuY2U6MDE5OGYzYTAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMGFh/runs
        paused: false
        runtime:
          version: 1.0.0
          configSha256: 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
          artifact:
            bucket: artifacts
            key: a.json
            sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            sizeBytes: 10
      ---
      apiVersion: agentstore.dev/v1alpha1
      kind: GatewayPolicy
      metadata:
        name: 0198f3a0-0000-7000-8000-0000000000aa
        labels:
          agentstore.dev/instance: 0198f3a0-0000-7000-8000-0000000000aa
          agentstore.dev/organization: acme
          agentstore.dev/project: default
      spec:
        instanceId: 0198f3a0-0000-7000-8000-0000000000aa
        organizationId: 0198f3a0-0000-7000-8000-0000000000bb
        generation: 1
        desiredPhase: Active
        plan: pro
        limits:
          maxRunSeconds: 300
          maxConcurrentRuns: 5
        capabilities:
          - api
          - chat
      ---
      apiVersion: agentstore.dev/v1alpha1
      kind: ConnectorPolicy
      metadata:
        name: 0198f3a0-0000-7000-8000-0000000000aa
        labels:
          agentstore.dev/instance: 0198f3a0-0000-7000-8000-0000000000aa
          agentstore.dev/organization: acme
          agentstore.dev/project: default
      spec:
        instanceId: 0198f3a0-0000-7000-8000-0000000000aa
        organizationId: 0198f3a0-0000-7000-8000-0000000000bb
        generation: 1
        desiredPhase: Active
        projectId: 0198f3a0-0000-7000-8000-0000000000cc
        defaultAction: Deny
        rules:
          - tool: orders__cancel_order
            action: Deny
          - tool: orders__find_order
            action: Allow
            name: find_order
            definition: dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
            bindingId: 0198f3a0-0000-7000-8000-0000000000dd
            arguments:
              properties:
                id:
                  maxLength: 9
                region:
                  const: eu
              type: object
      "
    `);
  });

  it('of several generations in one batch are those of the newest', () => {
    const changes = changesOf(
      'dev',
      [state({ generation: 3, phase: 'Paused' }), state({ generation: 2 })],
      ['clusters/dev/instances/acme/default/gone'],
    );
    const route = changes.get(
      'clusters/dev/instances/acme/default/0198f3a0-0000-7000-8000-0000000000aa/gatewayroute.yaml',
    ) as (before: string | undefined) => string;
    expect(route(undefined)).toContain('generation: 3');
    // What a writer that comes late finds in the tree stays there when it is newer.
    for (const [before, generation] of [
      [2, 3],
      [3, 3],
      [4, 4],
    ])
      expect(route(yamlOf(manifestsOf(state({ generation: before! }))[0]!))).toContain(
        `generation: ${generation}`,
      );
    expect(route('{{{')).toContain('generation: 3');
    expect(changes.get('clusters/dev/instances/acme/default/gone/')).toBeNull();
    expect(messageOf('dev', [state()], [])).toContain(
      'provision(dev): 1 instance [1 org]\n\nInstance: 0198f3a0-0000-7000-8000-0000000000aa@1\nActor: user:x',
    );
  });
});

describe('the CRD schemas', () => {
  const validators = crdValidators();
  const { instanceId } = state();
  const route = () => yamlOf(manifestsOf(state())[0]!);

  it('take every manifest that is written', () => {
    for (const manifest of manifestsOf(state({ phase: 'Terminated' })))
      expect(
        readManifest(yamlOf(manifest), validators, { kind: manifest.kind, instanceId }).fault,
      ).toBeUndefined();
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'a member nobody knows',
      (text) => text.replace('paused: false', 'paused: false\n  bypass: true'),
      /additional properties/,
    ],
    ['a short sha256', (text) => text.replace('a'.repeat(64), 'abc'), /sha256.*pattern/],
    ['a missing path', (text) => text.replace(/ {2}path: .*\n/, ''), /required property 'path'/],
    [
      'a phase that is none',
      (text) => text.replace('desiredPhase: Active', 'desiredPhase: Sleeping'),
      /desiredPhase.*allowed values/,
    ],
    ['generation 0', (text) => text.replace('generation: 1', 'generation: 0'), /generation.*>= 1/],
    [
      'a generation that no row holds',
      (text) => text.replace('generation: 1', 'generation: 99999999999'),
      /generation.*<= 2147483647/,
    ],
    [
      'an organization of dashes',
      (text) => text.replace(/organizationId: .*/, `organizationId: ${'-'.repeat(36)}`),
      /organizationId.*pattern/,
    ],
    ['no name', (text) => text.replace(/ {2}name: .*\n/, ''), /metadata.name/],
    [
      'no metadata',
      (text) => text.replace(/metadata:\n( .*\n)+?spec/, 'metadata: {}\nspec'),
      /metadata.name/,
    ],
    [
      'another instance',
      (text) => text.replace(/instanceId: .*/, 'instanceId: 0198f3a0-0000-7000-8000-0000000000ff'),
      /spec.instanceId/,
    ],
    ['another version of the API', (text) => text.replace('v1alpha1', 'v2'), /apiVersion/],
    ['a kind that is none', (text) => text.replace('GatewayRoute', 'Secret'), /kind is Secret/],
    ['a list', () => '- 1', /kind is undefined/],
    ['nothing', () => '', /kind is undefined/],
    ['no YAML', () => '{{{', /not YAML/],
  ])('refuse %s, in words', (_name, change, words) => {
    const { fault, manifest } = readManifest(change(route()), validators, {
      kind: 'GatewayRoute',
      instanceId,
    });
    expect(fault).toMatch(words);
    expect(manifest).toBeUndefined();
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'a policy of no project',
      (text) => text.replace(/ {2}projectId: .*\n/, ''),
      /required property 'projectId'/,
    ],
    [
      'what is allowed unless said',
      (text) => text.replace('defaultAction: Deny', 'defaultAction: Allow'),
      /defaultAction.*allowed values/,
    ],
    [
      'a tool that any definition will do for',
      (text) => text.replace(/ {6}definition: .*\n/, ''),
      /required property 'definition'/,
    ],
    [
      'a definition that is no hash',
      (text) => text.replace('d'.repeat(64), 'D'.repeat(64)),
      /definition.*pattern/,
    ],
    [
      'a binding that leaves its folder',
      (text) => text.replace(/bindingId: .*/, 'bindingId: ../../b/c/d'),
      /bindingId.*pattern/,
    ],
    [
      'a binding that is every binding',
      (text) => text.replace(/bindingId: .*/, "bindingId: '+'"),
      /bindingId.*pattern/,
    ],
    [
      'a denied tool with a binding',
      (text) =>
        text.replace('action: Deny', "action: Deny\n      bindingId: '0198f3a0-0000-7000-8000-0000000000dd'"),
      /oneOf/,
    ],
    [
      'an action that is none',
      (text) => text.replace('action: Deny', 'action: Log'),
      /action.*allowed values/,
    ],
    [
      'arguments that are no object',
      (text) => text.replace(/arguments:\n( {8}.*\n)+/, 'arguments: true\n'),
      /arguments must be object/,
    ],
    [
      'a tool of no connector',
      (text) => text.replace('tool: orders__cancel_order', 'tool: cancel_order'),
      /tool.*pattern/,
    ],
    [
      'a rule with a member nobody knows',
      (text) => text.replace('action: Deny', 'action: Deny\n      url: http://169.254.169.254'),
      /additional properties/,
    ],
    [
      'more rules than a policy holds',
      (text) => text.replace(/rules:\n/, `rules:\n${'    - { tool: a__b, action: Deny }\n'.repeat(255)}`),
      /more than 256 items/,
    ],
  ])('refuse %s, in words', (_name, change, words) => {
    const { fault, manifest } = readManifest(change(yamlOf(manifestsOf(state())[2]!)), validators, {
      kind: 'ConnectorPolicy',
      instanceId,
    });
    expect(fault).toMatch(words);
    expect(manifest).toBeUndefined();
  });

  it('refuse a manifest of one kind in the file of another', () => {
    const policy = yamlOf(manifestsOf(state())[2]!);
    expect(readManifest(policy, validators, { kind: 'GatewayRoute', instanceId })).toEqual({
      generation: 1,
      fault: 'kind is ConnectorPolicy, and the file is that of a GatewayRoute',
    });
  });
});
