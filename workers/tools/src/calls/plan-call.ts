import { canonicalJson, hashOf } from '@agentstore/kernel/canonical-json';
import type { ConnectorDefinition, ConnectorTool } from '@agentstore/kernel/connector-definition';
import { UnusableSchema, validatorOf } from '../connectors/json-schema.ts';
import { connectorPolicySpec, type AllowRule, type ConnectorPolicySpec } from '../policy/connector-policy.ts';
import type { Room } from '../room.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { AuditDraft } from './audit-draft.ts';
import type { KeyedCall } from './call-keys.ts';
import { canonicalArguments, fitArguments, type ToolArguments } from './check-arguments.ts';
import { decideCall, namesOf, type Standing } from './decide-call.ts';
import { ToolRefusal } from './refusals.ts';
import type { Grant, ToolCall } from './tool-call.ts';

/** An allowed call, about which everything is decided. */
export interface Plan {
  readonly grant: Grant;
  readonly rule: AllowRule;
  readonly definition: ConnectorDefinition;
  readonly tool: ConnectorTool;
  /** Null when the call stays inside. */
  readonly origin: string | null;
  readonly upstream: Upstream;
  readonly arguments: ToolArguments;
  /** Canonical JSON of the arguments. */
  readonly argumentsText: string;
  readonly idempotencyKey: string | null;
  readonly key: KeyedCall | null;
}

/** How much longer than a call may take its key stays claimed, when it may be made again. */
const graceMs = 15_000;

/** Decides a call by the policy, the definition that it pins, and the schemas. Reads no secret and calls nobody; `draft` learns what was found. Throws ToolRefusal. */
export async function planCall(room: Room, grant: Grant, call: ToolCall, draft: AuditDraft): Promise<Plan> {
  const named = namesOf(call);
  const { standing, version, commit } = await standingOf(room, grant);
  draft.policyVersion = version;
  draft.policyCommit = commit;
  draft.bindingId = named.bindingId ?? null;
  const rule = decideCall(grant, named, standing);
  draft.definition = rule.definition;
  draft.bindingId = rule.bindingId ?? null;
  const { definition, tool } = await toolOf(room, rule);
  const sent = canonicalArguments(call.arguments, room.maxArgumentBytes);
  const argumentsText = canonicalJson(sent);
  draft.argumentsHash = hashOf(sent);
  fitArguments(sent, validatorsOf(tool, rule));
  const upstream = room.upstreams[definition.kind];
  const { origin = null } = definition;
  if (!upstream || (origin === null) !== (definition.kind === 'RAG'))
    throw new ToolRefusal('CONNECTOR_KIND_NOT_SERVED');
  upstream.check({ definition, tool, arguments: sent });
  if (origin !== null) room.egress.check(origin);
  const idempotencyKey = call.idempotencyKey ?? null;
  return {
    grant,
    rule,
    definition,
    tool,
    origin,
    upstream,
    arguments: sent,
    argumentsText,
    idempotencyKey,
    key:
      draft.idempotencyKeyHash === null
        ? null
        : {
            grant,
            toolId: rule.tool,
            keyHash: draft.idempotencyKeyHash,
            callHash: hashOf({ arguments: sent, bindingId: rule.bindingId ?? null }),
            auditId: draft.id,
            repeatAfterMs: tool.risk === 'READ' ? definition.timeoutMs + graceMs : null,
          },
  };
}

/** What is applied and known for a run's instance. Throws POLICY_UNAVAILABLE. */
export async function standingOf(
  room: Room,
  grant: Grant,
): Promise<{ standing: Standing; version: string | null; commit: string | null }> {
  const applied = await orUnavailable(room, () => room.policies.resourceOf(grant.instanceId));
  const policy = applied && (await orUnavailable(room, async () => specOf(applied)));
  return {
    standing: {
      policy: policy?.organizationId === applied?.organizationId ? policy : undefined,
      phase: room.access.phaseOf(grant.instanceId),
      isRevoked: (bindingId) => room.access.isRevoked(bindingId),
    },
    version: applied ? `${grant.instanceId}@${applied.generation}` : null,
    commit: applied?.commit ?? null,
  };
}

/** The definition that a rule pins, and the rule's tool in it. Throws POLICY_UNAVAILABLE. */
export async function toolOf(
  room: Room,
  rule: AllowRule,
): Promise<{ definition: ConnectorDefinition; tool: ConnectorTool }> {
  return orUnavailable(room, async () => {
    const definition = await room.definitions.get(rule.definition);
    const tool = definition.tools.find(({ name }) => name === rule.name);
    if (!tool) throw new Error(`the definition ${rule.definition} has no tool ${rule.name}`);
    validatorsOf(tool, rule);
    return { definition, tool };
  });
}

const validatorsOf = (tool: ConnectorTool, rule: AllowRule) =>
  [tool.inputSchema, ...(rule.arguments ? [rule.arguments] : [])].map(validatorOf);

const specs = new WeakMap<object, ConnectorPolicySpec>();

/** Parsed once for each resource that the watch brought, so that its schemas are compiled once too. */
function specOf(applied: { readonly spec: unknown }): ConnectorPolicySpec {
  let spec = specs.get(applied);
  if (!spec) {
    spec = connectorPolicySpec.parse(applied.spec);
    specs.set(applied, spec);
  }
  return spec;
}

async function orUnavailable<T>(room: Room, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    room.log.warn({ err: error }, 'a policy or definition cannot be used');
    throw new ToolRefusal(
      'POLICY_UNAVAILABLE',
      error instanceof UnusableSchema ? "The tool's schema cannot be used here." : undefined,
    );
  }
}
