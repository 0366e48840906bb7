import type { Log } from '@agentstore/kernel/log';
import type { BillingClient, Exhausted, UsageSoFar } from './billing-client.ts';
import type { ClaimedRun } from './claimed-run.ts';
import { FencedError, type RunsClient } from './runs-client.ts';

/** The claim of one run, kept alive by heartbeats while it is held. */
export interface Lease {
  end(): void;
}

/**
 * Renews the lease every `everyMs` and notes the usage so far, at runs and at billing. `onCancel` when the client asked the run to stop,
 * `onFenced` when another runner has it, `onExhausted` when nothing pays for more of it. A heartbeat that fails is tried again at the next
 * beat: the fence protects the run meanwhile.
 */
export function holdLease(
  deps: { runs: RunsClient; billing: BillingClient; log: Log; leaseMs: number; heartbeatMs: number },
  run: ClaimedRun,
  events: {
    usage: () => UsageSoFar;
    onCancel: () => void;
    onFenced: () => void;
    onExhausted: (why: Exhausted) => void;
  },
): Lease {
  let beat = 0;
  let beating = false;
  const timer = setInterval(() => {
    if (beating) return;
    beating = true;
    void heartbeat().finally(() => (beating = false));
  }, deps.heartbeatMs);

  async function heartbeat(): Promise<void> {
    beat += 1;
    const usage = events.usage();
    try {
      const told = await deps.runs.heartbeat(run, { leaseMs: deps.leaseMs, usage: usage.lost });
      if (told.cancelRequested) events.onCancel();
      // The fence is in the number, so that a later owner's checkpoints win over an earlier one's.
      const exhausted = await deps.billing.checkpoint(run, usage, run.fence * 100_000 + beat);
      if (exhausted) events.onExhausted(exhausted);
    } catch (error) {
      if (error instanceof FencedError) events.onFenced();
      else deps.log.warn({ err: error, runId: run.runId }, 'heartbeat failed');
    }
  }

  return { end: () => clearInterval(timer) };
}
