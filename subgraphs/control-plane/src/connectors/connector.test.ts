import { describe, expect, it } from 'vitest';
import { policyRules, secretFault, toolGrants, type ToolAccess } from './connector.ts';

const [orders, status] = ['a'.repeat(64), 'b'.repeat(64)];
const access = (more: Partial<ToolAccess> = {}): ToolAccess => ({
  requiredConnectors: [
    { connector: 'status', tools: ['service_status'], arguments: {} },
    {
      connector: 'orders',
      tools: ['find_order', 'cancel_order'],
      arguments: { find_order: { properties: { region: { const: 'eu' } } } },
    },
  ],
  toolRules: [],
  reachableConnectors: [
    {
      slug: 'orders',
      sha256: orders,
      tools: ['find_order', 'cancel_order', 'drop_all'],
      needsSecret: true,
      bindingId: 'binding-1',
    },
    { slug: 'status', sha256: status, tools: ['service_status'], needsSecret: false, bindingId: null },
  ],
  ...more,
});

describe('the rules of a policy', () => {
  it('are the required tools and no other, sorted, each pinned to a definition and to the secret it needs', () => {
    expect(policyRules(access())).toEqual([
      {
        tool: 'orders__cancel_order',
        action: 'Allow',
        name: 'cancel_order',
        definition: orders,
        bindingId: 'binding-1',
      },
      {
        tool: 'orders__find_order',
        action: 'Allow',
        name: 'find_order',
        definition: orders,
        bindingId: 'binding-1',
        arguments: { properties: { region: { const: 'eu' } } },
      },
      { tool: 'status__service_status', action: 'Allow', name: 'service_status', definition: status },
    ]);
    expect(toolGrants(access())).toEqual({
      tools: ['orders__cancel_order', 'orders__find_order', 'status__service_status'],
      bindings: ['binding-1'],
    });
  });

  it('of a connector that is not there, lost its tool or waits for its secret are none', () => {
    const [needsSecret, needsNone] = access().reachableConnectors as [never, object];
    const tools = (...reachable: object[]) =>
      policyRules(access({ reachableConnectors: reachable as never })).map(({ tool }) => tool);
    expect(tools()).toEqual([]);
    expect(tools(needsNone)).toEqual(['status__service_status']);
    expect(tools({ ...(needsSecret as object), bindingId: null })).toEqual([]);
    expect(tools({ ...(needsSecret as object), tools: ['find_order'] })).toEqual(['orders__find_order']);
  });

  it('never name a binding for a connector that needs no secret any more', () => {
    const [connector] = access().reachableConnectors;
    const rules = policyRules(access({ reachableConnectors: [{ ...connector!, needsSecret: false }] }));
    expect(rules.map((rule) => 'bindingId' in rule)).toEqual([false, false]);
  });

  it('are narrowed by the instance: a tool is denied, or has to satisfy both schemas', () => {
    const own = { properties: { id: { maxLength: 8 } } };
    const narrowed = access({
      toolRules: [
        { tool: 'orders__cancel_order' },
        { tool: 'orders__find_order', arguments: own },
        { tool: 'orders__drop_all', arguments: {} },
      ],
    });
    expect(policyRules(narrowed).slice(0, 2)).toMatchObject([
      { tool: 'orders__cancel_order', action: 'Deny' },
      {
        tool: 'orders__find_order',
        arguments: { allOf: [{ properties: { region: { const: 'eu' } } }, own] },
      },
    ]);
    expect(policyRules(narrowed)).toHaveLength(3);
    expect(toolGrants(narrowed).tools).toEqual(['orders__find_order', 'status__service_status']);
  });
});

it.each<[string, { name: string; value: string }[], string | undefined]>([
  [
    'what is asked for',
    [
      { name: 'user', value: 'u' },
      { name: 'password', value: 'p w' },
    ],
    undefined,
  ],
  ['a field less', [{ name: 'user', value: 'hunter2' }], 'SECRET_FIELDS_MISMATCH'],
  [
    'a field more',
    ['user', 'password', 'hunter2'].map((name) => ({ name, value: 'x' })),
    'SECRET_FIELDS_MISMATCH',
  ],
  ['two names in one', [{ name: 'password,user', value: 'hunter2' }], 'SECRET_FIELDS_MISMATCH'],
  ['a field twice', ['user', 'user'].map((name) => ({ name, value: 'hunter2' })), 'SECRET_FIELDS_MISMATCH'],
  [
    'a line break',
    [
      { name: 'user', value: 'u' },
      { name: 'password', value: 'hunter2\r\nX: 1' },
    ],
    'INVALID_SECRET',
  ],
  [
    'nothing',
    [
      { name: 'user', value: 'u' },
      { name: 'password', value: '' },
    ],
    'INVALID_SECRET',
  ],
  [
    'too much',
    [
      { name: 'user', value: 'u' },
      { name: 'password', value: 'x'.repeat(8_193) },
    ],
    'INVALID_SECRET',
  ],
])('a secret with %s is taken or refused, and never told', (_name, given, code) => {
  const fault = secretFault(['password', 'user'], given);
  expect(fault?.code).toBe(code);
  expect(fault?.message ?? '').not.toMatch(/hunter2|x{9}/);
});
