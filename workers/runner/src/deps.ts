import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Log } from '@agentstore/kernel/log';
import type { ArtifactCache } from './artifacts/artifact-cache.ts';
import type { ObjectStore } from './artifacts/load-artifact.ts';
import type { FrameLimits } from './langflow/frames.ts';
import type { Runtime } from './langflow/runtime-client.ts';
import type { ActiveRuns } from './runs/active-runs.ts';
import type { BillingClient } from './runs/billing-client.ts';
import type { RunsClient } from './runs/runs-client.ts';

/** Budgets of one run and of its log. */
export interface RunLimits extends FrameLimits {
  /** From the request until the first event of the flow. */
  readonly firstEventMs: number;
  /** Between two events. */
  readonly idleMs: number;
  /** How long a runtime that is away is asked again. */
  readonly runtimePatienceMs: number;
  /** How long after its deadline a run that cannot be stored or settled is held; then it is left to its next owner. */
  readonly endPatienceMs: number;
  /** Text of all messages of a run together, and its output, in bytes as JSON. */
  readonly maxOutputBytes: number;
  /** Arguments, and the answer, of one tool call, in bytes; those of all calls together are bounded by `maxStreamBytes`. */
  readonly maxToolTextBytes: number;
  /** Passages of documents that a run may cite in all. */
  readonly maxCitations: number;
  readonly flushMs: number;
  readonly flushBytes: number;
}

/** What a runner needs from outside. It has no database. */
export interface Deps {
  readonly log: Log;
  readonly authenticate: Authenticator;
  readonly runs: RunsClient;
  readonly billing: BillingClient;
  readonly runtime: Runtime;
  readonly artifacts: {
    readonly objects: ObjectStore;
    readonly cache: ArtifactCache;
    readonly maxBytes: number;
  };
  readonly runnerId: string;
  /** Origin at which the tool gateway reaches this runner. */
  readonly ownerUrl: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** How long stop() lets runs under way end by themselves. */
  readonly stopGraceMs: number;
  readonly limits: RunLimits;
  /** Values of variables that flows may name, over the instance's own configuration. */
  readonly globals: Readonly<Record<string, string>>;
  /** Key of the HMAC that makes session ids. */
  readonly sessionSecret: string;
}

/** What its handlers and its tasks find. */
export interface Room extends Deps {
  readonly active: ActiveRuns;
}
