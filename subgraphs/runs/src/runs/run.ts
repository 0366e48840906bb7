import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';

export type RunState = 'QUEUED' | 'RUNNING' | 'CANCELLING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export const terminalStates: readonly RunState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

export interface RunUsage {
  readonly status: 'REPORTED' | 'PARTIAL' | 'MISSING';
  readonly models: readonly {
    provider: string;
    model: string | null;
    inputTokens: number | null;
    outputTokens: number | null;
    totalTokens: number | null;
  }[];
  readonly toolCalls: number;
  readonly durationMs: number;
}

/** Why a run that was accepted failed. `retryable`: the same run may work when it is started again. */
export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** One execution of an instance. */
export interface Run {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly instanceId: Uuid;
  readonly conversationId: Uuid;
  readonly state: RunState;
  readonly input: string;
  readonly output: string | null;
  readonly usage: RunUsage | null;
  readonly error: RunError | null;
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly lastSeq: number;
}

/** What the control plane says of an instance that is to be run. */
export interface InstanceFacts {
  readonly instanceId: Uuid;
  readonly organizationId: Uuid;
  readonly offeringId: Uuid;
  readonly state: string;
  readonly paused: boolean;
  readonly effectiveConfig: Readonly<Record<string, unknown>>;
  readonly artifact: {
    readonly bucket: string;
    readonly key: string;
    readonly sha256: string;
    readonly sizeBytes: number;
  };
  readonly limits: { readonly maxRunSeconds: number; readonly maxConcurrentRuns: number };
}

/** Why a command on runs was refused; `required`, `available`, `missing` (µcr) with INSUFFICIENT_CREDITS. */
export type RunRefusal = Refusal & {
  readonly code:
    | 'INSTANCE_NOT_FOUND'
    | 'INSTANCE_NOT_ACTIVE'
    | 'INSTANCE_PAUSED'
    | 'INSUFFICIENT_CREDITS'
    | 'WALLET_FROZEN'
    | 'TOO_MANY_RUNS'
    | 'IDEMPOTENCY_CONFLICT'
    | 'CONVERSATION_NOT_FOUND'
    | 'INVALID_INPUT'
    | 'RUN_NOT_FOUND';
  readonly required?: bigint;
  readonly available?: bigint;
  readonly missing?: bigint;
};

/** Whether an instance can be run now. */
export function decideStart(facts: InstanceFacts, activeRuns: number): Outcome<InstanceFacts, RunRefusal> {
  if (facts.paused || facts.state === 'PAUSED')
    return refused({
      code: 'INSTANCE_PAUSED',
      message: 'The instance is paused; resume it first.',
      field: 'instanceId',
    });
  if (facts.state !== 'ACTIVE')
    return refused({
      code: 'INSTANCE_NOT_ACTIVE',
      message: `The instance is ${facts.state}.`,
      field: 'instanceId',
    });
  if (activeRuns >= facts.limits.maxConcurrentRuns)
    return refused({
      code: 'TOO_MANY_RUNS',
      message: `The plan allows ${facts.limits.maxConcurrentRuns} runs of this instance at the same time.`,
    });
  return done(facts);
}
