import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError, UnavailableError, type ServiceClient } from '@agentstore/kernel/http/client';
import type { RunError } from '../langflow/classify-error.ts';
import type { RunUsage } from '../langflow/usage.ts';
import type { BilledUsage, ClaimedRun } from './claimed-run.ts';
import type { LoggedEvent } from './event-log.ts';

/** Another runner owns the run now, or it has ended: this one must write and settle nothing more. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** What the owner of a run is told with each answer. */
export interface Told {
  readonly cancelRequested: boolean;
}

/** How a run is to end. */
export interface Ending {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly output: string | null;
  readonly usage: RunUsage | null;
  readonly error: RunError | null;
  /** What billing is asked to settle. */
  readonly billed: readonly BilledUsage[];
}

type Owned = Pick<ClaimedRun, 'runId' | 'fence'>;

/** The runs subgraph as a runner uses it. Calls of an owner throw FencedError once it is not the owner any more. */
export interface RunsClient {
  /** Waits up to `waitMs` for runs to take; their tokens name `ownerUrl` as whom the tool gateway tells of calls. */
  claim(
    request: { runnerId: string; ownerUrl: string; limit: number; leaseMs: number; waitMs: number },
    signal: AbortSignal,
  ): Promise<ClaimedRun[]>;
  /** Stores events, or with none just asks; repeats until it is answered or the signal aborts. */
  append(run: Owned, events: readonly LoggedEvent[], signal: AbortSignal): Promise<Told>;
  /** Keeps the lease, once. */
  heartbeat(run: Owned, lease: { leaseMs: number; usage: readonly BilledUsage[] }): Promise<Told>;
  /** Decides how the run ends, before billing is asked: a next owner ends it so. Repeats until it is answered or the signal aborts. */
  decide(run: Owned, ending: Ending, signal: AbortSignal): Promise<void>;
  /** Ends the run as it was decided, with its charge (µcr; null when billing would not say). Repeats until it is answered or the signal aborts. */
  finish(run: Owned, charge: string | null, signal: AbortSignal): Promise<void>;
  /** Lets another runner have the run at once. */
  handBack(run: Owned): Promise<void>;
}

export function createRunsClient(service: ServiceClient): RunsClient {
  const post = <T>(run: Owned, verb: string, body: object, deadlineMs: number): Promise<T> =>
    service
      .call<T>('POST', `/internal/runs/${run.runId}/${verb}`, { fence: run.fence, ...body }, { deadlineMs })
      .catch((error: unknown) => {
        throw error instanceof ServiceError && error.code === 'RUN_FENCED' ? new FencedError() : error;
      });

  return {
    async claim(request, signal) {
      const { runs } = await service.call<{ runs: ClaimedRun[] }>('POST', '/internal/runs:claim', request, {
        deadlineMs: request.waitMs + 5_000,
        signal,
      });
      return runs;
    },
    append: (run, events, signal) =>
      untilAnswered(() => post<Told>(run, 'events', { events }, 5_000), signal),
    heartbeat: (run, lease) => post(run, 'heartbeat', lease, 2_500),
    decide: (run, ending, signal) => untilAnswered(() => post<void>(run, 'ending', ending, 5_000), signal),
    finish: (run, charge, signal) =>
      untilAnswered(() => post<void>(run, 'finish', { charge }, 5_000), signal),
    handBack: (run) => post(run, 'hand-back', {}, 2_500),
  };
}

/** Answers that say nothing about the call itself: the token or the pace was wrong just now. */
const passing = new Set([401, 403, 408, 429]);
/** How often a fault of the other side is asked to try again before it is taken for its answer. */
const mostFaults = 3;

/**
 * Repeats an idempotent call while the other side cannot be reached or does not take it now, with backoff up to 2 s, until the signal aborts. An
 * answer 500 is repeated a few times and then thrown as a ServiceError: what makes the other side fail, fails again.
 */
export async function untilAnswered<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0, faults = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      if (error instanceof UnavailableError && error.status === 500 && ++faults >= mostFaults)
        throw new ServiceError(error.service, 500, { code: 'INTERNAL', title: error.message });
      await sleep(Math.min(2_000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof UnavailableError || (error instanceof ServiceError && passing.has(error.status));
