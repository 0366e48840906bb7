import { z } from 'zod';

const uuid = z.uuid().lowercase();
const rule = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('Allow'),
    /** The tool's name at the gateway. */
    tool: z.string(),
    /** The tool's own name in the definition. */
    name: z.string(),
    /** sha256 of the connector definition. */
    definition: z.string().regex(/^[0-9a-f]{64}$/),
    bindingId: uuid.optional(),
    /** What the arguments must satisfy besides the tool's own schema. */
    arguments: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({ action: z.literal('Deny'), tool: z.string() }),
]);

/** A ConnectorPolicy's spec, as far as the gateway acts on it. */
export const connectorPolicySpec = z.object({
  organizationId: uuid,
  projectId: uuid,
  desiredPhase: z.enum(['Active', 'Paused', 'Terminated']),
  rules: z.array(rule),
});
export type ConnectorPolicySpec = z.output<typeof connectorPolicySpec>;
export type AllowRule = Extract<ConnectorPolicySpec['rules'][number], { action: 'Allow' }>;

/** A ConnectorPolicy as it was applied; the spec is parsed where it is used. */
export interface AppliedPolicy {
  readonly instanceId: string;
  readonly organizationId: string;
  readonly generation: number;
  readonly commit: string;
  readonly spec: unknown;
}

/** The applied ConnectorPolicies, kept up to date by a watch: the kernel's `AppliedResources`, as far as it is used here. */
export interface AppliedPolicies {
  /** Undefined when none was applied; throws when that cannot be known now. */
  resourceOf(instanceId: string): Promise<AppliedPolicy | undefined>;
  start(): void;
  stop(): Promise<void>;
}
