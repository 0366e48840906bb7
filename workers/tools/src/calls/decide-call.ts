import { isUuid } from '@agentstore/kernel/ids';
import type { AllowRule, ConnectorPolicySpec } from '../policy/connector-policy.ts';
import { ToolRefusal } from './refusals.ts';
import type { Grant, ToolCall } from './tool-call.ts';

/** `{connectorSlug}__{toolName}`, as the kernel's `toolIdOf` makes it. */
const toolIdForm = /^[a-z][a-z0-9-]{0,31}__[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Printable ASCII, so that it may be a header's value at the upstream. */
const idempotencyKeyForm = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;

/** A call whose ids are ids. */
export interface NamedCall {
  readonly toolId: string;
  readonly bindingId: string | undefined;
}

/** Throws INVALID_ID or INVALID_IDEMPOTENCY_KEY: what has not the form of a name is asked of nobody. */
export function namesOf(call: Pick<ToolCall, 'toolId' | 'bindingId' | 'idempotencyKey'>): NamedCall {
  const { toolId, bindingId, idempotencyKey } = call;
  if (!toolIdForm.test(toolId)) throw new ToolRefusal('INVALID_ID', 'This is no name of a tool.');
  if (bindingId !== undefined && !(typeof bindingId === 'string' && isUuid(bindingId)))
    throw new ToolRefusal('INVALID_ID', 'This is no id of a binding.');
  if (idempotencyKey !== undefined && !idempotencyKeyForm.test(idempotencyKey))
    throw new ToolRefusal('INVALID_IDEMPOTENCY_KEY');
  return { toolId, bindingId };
}

/** What is known beside the token when a call is decided. */
export interface Standing {
  /** The applied policy's spec; undefined when none was applied. */
  readonly policy: ConnectorPolicySpec | undefined;
  /** The instance as the control plane says it is now; undefined when it has said nothing of it lately. */
  readonly phase: string | undefined;
  readonly isRevoked: (bindingId: string) => boolean;
}

/**
 * The rule that allows a call: the applied policy and the run's token must both allow the tool and the binding. Throws the refusal otherwise. A binding
 * outside of them is not found, whether it exists or not.
 */
export function decideCall(grant: Grant, call: NamedCall, { policy, phase, isRevoked }: Standing): AllowRule {
  if (policy && !isOf(policy, grant)) throw new ToolRefusal('TOOL_DENIED');
  if (policy?.desiredPhase !== 'Active' || (phase !== undefined && phase !== 'Active'))
    throw new ToolRefusal('INSTANCE_NOT_ACTIVE');
  const wanted = call.bindingId;
  if (wanted !== undefined && !grant.bindings.includes(wanted)) throw new ToolRefusal('BINDING_NOT_FOUND');
  if (wanted !== undefined && isRevoked(wanted)) throw new ToolRefusal('BINDING_REVOKED');
  const rule = ruleFor(policy, call.toolId);
  if (!rule || !grant.tools.includes(call.toolId)) throw new ToolRefusal('TOOL_DENIED');
  const { bindingId } = rule;
  if ((wanted ?? bindingId) !== bindingId) throw new ToolRefusal('BINDING_NOT_FOUND');
  if (bindingId !== undefined && !grant.bindings.includes(bindingId))
    throw new ToolRefusal('BINDING_NOT_FOUND');
  if (bindingId !== undefined && isRevoked(bindingId)) throw new ToolRefusal('BINDING_REVOKED');
  return rule;
}

/** The rules under which a run may call tools now: those that `decideCall` would answer. */
export function allowedRules(grant: Grant, standing: Standing): AllowRule[] {
  return grant.tools.flatMap((toolId) => {
    try {
      return decideCall(grant, { toolId, bindingId: undefined }, standing);
    } catch (error) {
      if (error instanceof ToolRefusal && error.code !== 'INSTANCE_NOT_ACTIVE') return [];
      throw error;
    }
  });
}

/** A policy speaks for one tenant: a token of another one gets nothing by it. */
const isOf = (policy: ConnectorPolicySpec, grant: Grant): boolean =>
  policy.organizationId === grant.organizationId && policy.projectId === grant.projectId;

/** A tool that any rule denies is denied. */
function ruleFor(policy: ConnectorPolicySpec, toolId: string): AllowRule | undefined {
  const rules = policy.rules.filter(({ tool }) => tool === toolId);
  return rules.some(({ action }) => action === 'Deny')
    ? undefined
    : rules.find((rule): rule is AllowRule => rule.action === 'Allow');
}
