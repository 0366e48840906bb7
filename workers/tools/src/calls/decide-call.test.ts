import { describe, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { allowedRules, decideCall, type Standing } from './decide-call.ts';

const [organizationId, projectId, bindingId, elsewhere] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
const rule = {
  action: 'Allow',
  tool: 'orders__find_order',
  name: 'find_order',
  definition: 'a'.repeat(64),
  bindingId,
} as const;
const grant = {
  organizationId,
  projectId,
  instanceId: uuidv7(),
  runId: uuidv7(),
  fence: 1,
  owner: 'http://runner.test',
  tools: ['orders__find_order'],
  bindings: [bindingId],
  tokenId: 't',
};
const policy = { organizationId, projectId, desiredPhase: 'Active', rules: [rule] } as const;
const standing = (more: Partial<Standing> = {}): Standing => ({
  policy: { ...policy, rules: [...policy.rules] },
  phase: undefined,
  isRevoked: () => false,
  ...more,
});
const call = { toolId: 'orders__find_order', bindingId: undefined };
const open = { ...rule, bindingId: undefined };

it('allows what policy and token both allow, with the binding of the rule', () => {
  expect(decideCall(grant, call, standing())).toEqual(rule);
  expect(decideCall(grant, { ...call, bindingId }, standing({ phase: 'Active' }))).toEqual(rule);
});

const refusals: [string, string, Partial<Standing>, { grant?: object; call?: object }][] = [
  ['no policy was applied', 'INSTANCE_NOT_ACTIVE', { policy: undefined }, {}],
  [
    'the policy is paused',
    'INSTANCE_NOT_ACTIVE',
    { policy: { ...policy, desiredPhase: 'Paused', rules: [rule] } },
    {},
  ],
  ['the control plane says paused', 'INSTANCE_NOT_ACTIVE', { phase: 'Paused' }, {}],
  ['the policy is of another organization', 'TOOL_DENIED', {}, { grant: { organizationId: elsewhere } }],
  ['the policy is of another project', 'TOOL_DENIED', {}, { grant: { projectId: elsewhere } }],
  ['the token has not the tool', 'TOOL_DENIED', {}, { grant: { tools: [] } }],
  ['the policy has not the tool', 'TOOL_DENIED', { policy: { ...policy, rules: [] } }, {}],
  [
    'a rule denies it, wherever it stands',
    'TOOL_DENIED',
    { policy: { ...policy, rules: [rule, { action: 'Deny', tool: rule.tool }] } },
    {},
  ],
  ['the token has not the binding', 'BINDING_NOT_FOUND', {}, { grant: { bindings: [] } }],
  ['another binding is asked for', 'BINDING_NOT_FOUND', {}, { call: { bindingId: elsewhere } }],
  [
    "another binding of the token's is asked for",
    'BINDING_NOT_FOUND',
    {},
    { call: { bindingId: elsewhere }, grant: { bindings: [bindingId, elsewhere] } },
  ],
  [
    'a binding is asked for and the rule has none',
    'BINDING_NOT_FOUND',
    { policy: { ...policy, rules: [open] } },
    { call: { bindingId } },
  ],
  ['the binding was revoked', 'BINDING_REVOKED', { isRevoked: (id) => id === bindingId }, {}],
  [
    'the binding was revoked and the rule is gone',
    'BINDING_REVOKED',
    { policy: { ...policy, rules: [] }, isRevoked: (id) => id === bindingId },
    { call: { bindingId } },
  ],
];

describe('refuses when', () => {
  it.each(refusals)('%s: %s', (_when, code, more, changed) => {
    const decided = () =>
      decideCall({ ...grant, ...changed.grant }, { ...call, ...changed.call }, standing(more));
    expect(decided).toThrow(expect.objectContaining({ code }));
  });
});

it('shows a run the tools that it could call, and says when its instance is not active', () => {
  expect(allowedRules(grant, standing())).toEqual([rule]);
  expect(allowedRules({ ...grant, bindings: [] }, standing())).toEqual([]);
  expect(() => allowedRules(grant, standing({ phase: 'Paused' }))).toThrow(
    expect.objectContaining({ code: 'INSTANCE_NOT_ACTIVE' }),
  );
});
