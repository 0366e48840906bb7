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

/** Why a run that was accepted failed, with what each code means for the client. */
export const runErrorCodes = {
  RUNNER_LOST: 'Its runner died while it ran; start it again.',
  RUNNER_UNAVAILABLE: 'No runner took it before its deadline; start it again.',
  RUNTIME_UNAVAILABLE: 'The flow runtime could not be reached; start it again.',
  RUNTIME_ERROR: 'The flow failed.',
  TRUNCATED: 'The flow runtime broke off without an end.',
  IDLE_TIMEOUT: 'The flow said nothing for too long.',
  DEADLINE_EXCEEDED: 'The run took longer than its plan allows.',
  ARTIFACT_MISMATCH: 'The stored artifact is not the published one; nothing was executed.',
  ARTIFACT_UNAVAILABLE: 'The artifact could not be read; start it again.',
  ARTIFACT_REFUSED: 'The flow runtime refuses the artifact.',
  OUTPUT_TOO_LARGE: 'The flow wrote more than a run may.',
  MAX_CHARGE_REACHED: 'The run used all that it may be charged; it is charged its maximum.',
  CREDITS_EXHAUSTED: 'The wallet could pay for no more of the run; it is charged for what it used.',
  INTERNAL: 'A fault on our side; start it again.',
} as const;
export type RunErrorCode = keyof typeof runErrorCodes;

/** Why a run that was accepted failed. `retryable`: the same run may work when it is started again. */
export interface RunError {
  readonly code: RunErrorCode;
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
  /** As its terminal event says; the ledger is billing's. */
  readonly charge: bigint | null;
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
  readonly projectId?: Uuid;
  readonly toolGrants?: ToolGrants;
}

/** What a run may ask the tool gateway for: tools by their names there, and connector bindings. */
export interface ToolGrants {
  readonly tools: readonly string[];
  readonly bindings: readonly Uuid[];
}

/** Why a command on runs was refused, described once for the graph and its documents. */
export const runRefusalCodes = {
  INSTANCE_NOT_FOUND: 'No such instance, or the caller does not belong there.',
  INSTANCE_NOT_ACTIVE: 'The instance is not ACTIVE (yet, or any more).',
  INSTANCE_PAUSED: 'The instance is paused.',
  INSUFFICIENT_CREDITS: 'The wallet has too few credits available; the payload says how many are missing.',
  MAX_CHARGE_TOO_LOW: 'maxCharge is less than what the run reserves; the payload says that as `required`.',
  WALLET_FROZEN: 'The wallet is frozen by an operator.',
  NOT_PRICED: 'The offering has no price yet, so it cannot be run.',
  TOO_MANY_RUNS:
    'As many runs as the plan allows are under way; to a visitor, also: an earlier run of theirs is.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before for another run.',
  VISITOR_CAP_REACHED: "Too little is left of what this visitor's runs of 24 hours may be charged.",
  CONVERSATION_NOT_FOUND:
    "No such conversation of this instance, or it is not the caller's to go on with: a visitor's is theirs alone.",
  INVALID_INPUT: 'A value of the input is not usable.',
  RUN_NOT_FOUND: 'No such run, or the caller does not belong there.',
  RUN_NOT_ENDED: 'The run is still under way; rate it once it has ended.',
} as const;

/** A refused command on runs; `required`, `available`, `missing` (µcr) with INSUFFICIENT_CREDITS, `required` with MAX_CHARGE_TOO_LOW. */
export type RunRefusal = Refusal & {
  readonly code: keyof typeof runRefusalCodes;
  readonly required?: bigint;
  readonly available?: bigint;
  readonly missing?: bigint;
};

/** Whether an instance can be run now, by its state. */
export function decideStart(facts: InstanceFacts): Outcome<InstanceFacts, RunRefusal> {
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
  return done(facts);
}

/** The refusal of one more run beside `active` others; undefined when there is room. */
export const decideRoom = (facts: InstanceFacts, active: number): RunRefusal | undefined =>
  active < facts.limits.maxConcurrentRuns ? undefined : tooManyRuns(facts);

export const tooManyRuns = ({ limits }: InstanceFacts): RunRefusal => ({
  code: 'TOO_MANY_RUNS',
  message: `The plan allows ${limits.maxConcurrentRuns} runs of this instance at the same time.`,
  field: 'instanceId',
});
