import { canonicalJson } from '@agentstore/kernel/canonical-json';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import type { ToolRule } from '../connectors/connector.ts';

/** REQUESTED → PROVISIONING → ACTIVE ⇄ PAUSED → TERMINATED. A failure while provisioning is a condition, not a state. */
export type InstanceState = 'REQUESTED' | 'PROVISIONING' | 'ACTIVE' | 'PAUSED' | 'TERMINATED';

/** What the instance should be, as written to Git. */
export type DesiredPhase = 'Active' | 'Paused' | 'Terminated';

/** One observed fact about an applied resource (Kubernetes' condition). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** One organization's running copy of an offering version. */
export interface Instance {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly offeringId: Uuid;
  readonly offeringVersionId: Uuid;
  readonly planId: Uuid;
  readonly name: string;
  readonly state: InstanceState;
  readonly desiredPhase: DesiredPhase;
  readonly desiredGeneration: number;
  readonly observedGeneration: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** How its own people narrowed its tools. */
  readonly toolRules: readonly ToolRule[];
  readonly conditions: readonly (Condition & { readonly resource: string })[];
  readonly saleorOrderId: string | null;
  /** Public key of its widget. */
  readonly widgetKey: string;
  readonly requestedAt: Date;
}

/** The resources of every instance: it is as it should be when all of them are. */
const instanceKinds = ['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'];

/** A resource as the applier saw it. */
export interface ObservedResource {
  readonly kind: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
}

export type InstanceRefusal = Refusal & {
  readonly code:
    | 'INSTANCE_NOT_FOUND'
    | 'PROJECT_NOT_FOUND'
    | 'OFFERING_NOT_FOUND'
    | 'INVALID_TRANSITION'
    | 'GENERATION_CONFLICT'
    | 'INVALID_CONFIG'
    | 'TOOL_NOT_FOUND'
    | 'INVALID_TOOL_RULE'
    | 'INVALID_IDENTITY_KEY'
    | 'INVALID_BRANDING'
    | 'INVALID_DOMAIN'
    | 'IDEMPOTENCY_CONFLICT'
    | 'INVALID_INPUT';
};

/** A change of what the instance should be, before it is written. */
export interface Change {
  readonly desiredPhase: DesiredPhase;
  readonly config: Readonly<Record<string, unknown>>;
  readonly toolRules: readonly ToolRule[];
  /** The timeline's word for it. */
  readonly kind:
    'pause-requested' | 'resume-requested' | 'terminate-requested' | 'configured' | 'tools-changed';
}

type Command =
  | { readonly kind: 'pause' | 'resume' | 'terminate' }
  | { readonly kind: 'configure'; readonly config: Readonly<Record<string, unknown>> }
  | { readonly kind: 'narrow-tools'; readonly toolRules: readonly ToolRule[] };

/** What a command makes of an instance: the change to write, null when it is already so, or why it cannot be. */
export function decideChange(
  instance: Pick<Instance, 'state' | 'desiredPhase' | 'config' | 'toolRules'>,
  command: Command,
): Outcome<Change | null, InstanceRefusal> {
  const { desiredPhase, config, toolRules, state } = instance;
  const same = { desiredPhase, config, toolRules };
  if (desiredPhase === 'Terminated')
    return command.kind === 'terminate' ? done(null) : invalid(command.kind, state);
  switch (command.kind) {
    case 'pause':
      if (desiredPhase === 'Paused') return done(null);
      return done({ ...same, desiredPhase: 'Paused', kind: 'pause-requested' });
    case 'resume':
      if (desiredPhase === 'Active') return done(null);
      return done({ ...same, desiredPhase: 'Active', kind: 'resume-requested' });
    case 'terminate':
      return done({ ...same, desiredPhase: 'Terminated', kind: 'terminate-requested' });
    case 'configure':
      return isSame(config, command.config)
        ? done(null)
        : done({ ...same, config: { ...config, ...command.config }, kind: 'configured' });
    case 'narrow-tools':
      return canonicalJson(toolRules) === canonicalJson(command.toolRules)
        ? done(null)
        : done({ ...same, toolRules: command.toolRules, kind: 'tools-changed' });
  }
}

/** Whether settings would change nothing. */
const isSame = (config: Instance['config'], settings: Instance['config']): boolean =>
  canonicalJson(config) === canonicalJson({ ...config, ...settings });

const invalid = (command: string, state: InstanceState) =>
  refused<InstanceRefusal>({
    code: 'INVALID_TRANSITION',
    message: `An instance that is ${state} or on its way to TERMINATED cannot ${command}.`,
  });

/**
 * The state after observing applied resources. Only what is observed at the desired generation counts, and only `Ready=True` of every
 * kind of resource moves it: readiness is never assumed, least of all of a resource that nobody has seen. An older observation leaves the state as it is.
 */
export function observe(
  instance: Pick<Instance, 'state' | 'desiredPhase' | 'desiredGeneration' | 'observedGeneration'>,
  observed: { readonly observedGeneration: number; readonly resources: readonly ObservedResource[] },
): { readonly state: InstanceState; readonly observedGeneration: number; readonly ready: boolean } {
  const observedGeneration = Math.min(
    instance.desiredGeneration,
    Math.max(instance.observedGeneration, observed.observedGeneration),
  );
  const ready =
    observed.observedGeneration === instance.desiredGeneration &&
    instanceKinds.every((kind) => observed.resources.some((resource) => resource.kind === kind)) &&
    observed.resources.every((resource) =>
      resource.conditions.some(
        (c) =>
          c.type === 'Ready' && c.status === 'True' && c.observedGeneration === observed.observedGeneration,
      ),
    );
  const settled: Record<DesiredPhase, InstanceState> = {
    Active: 'ACTIVE',
    Paused: 'PAUSED',
    Terminated: 'TERMINATED',
  };
  const waiting: InstanceState = instance.state === 'REQUESTED' ? 'PROVISIONING' : instance.state;
  return { state: ready ? settled[instance.desiredPhase] : waiting, observedGeneration, ready };
}

/** What a condition on the way into Git is about; the other ones are about an applied resource. */
export const gitResource = 'Git';

/**
 * The conditions with what is known of the way into Git; undefined when there is nothing to say: it was never delayed, or it is as it was. The time of
 * the last transition stays while the status does.
 */
export function withCommitted(
  conditions: Instance['conditions'],
  seen: Omit<Condition, 'type' | 'lastTransitionTime'>,
  now: Date = new Date(),
): Instance['conditions'] | undefined {
  const before = conditions.find(({ resource }) => resource === gitResource);
  const same = before?.status === seen.status && before.reason === seen.reason;
  if ((!before && seen.status === 'True') || (same && before?.observedGeneration === seen.observedGeneration))
    return undefined;
  const lastTransitionTime = before?.status === seen.status ? before.lastTransitionTime : now.toISOString();
  return [
    { ...seen, type: 'Committed', resource: gitResource, lastTransitionTime },
    ...conditions.filter(({ resource }) => resource !== gitResource),
  ];
}
