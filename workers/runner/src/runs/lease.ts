import type { Log } from '@agentstore/kernel/log';
import type { BillingClient } from './billing-client.ts';
import type { BilledUsage, ClaimedRun } from './claimed-run.ts';
import { FencedError, type RunsClient } from './runs-client.ts';

/** The claim of one run, kept alive by heartbeats while it is held. */
export interface Lease {
  end(): void;
}

/**
 * Renews the lease every `everyMs` and notes the usage so far, at runs and at billing. `onCancel` when the client asked the run to stop,
 * `onFenced` when another runner has it. A heartbeat that fails is tried again at the next beat: the fence protects the run meanwhile.
 */
export function holdLease(
  deps: { runs: RunsClient; billing: BillingClient; log: Log; leaseMs: number; heartbeatMs: number },
  run: ClaimedRun,
  events: { usage: () => readonly BilledUsage[]; onCancel: () => void; onFenced: () => void },
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
      const told = await deps.runs.heartbeat(run, { leaseMs: deps.leaseMs, usage });
      if (told.cancelRequested) events.onCancel();
      // The fence is in the number, so that a later owner's checkpoints win over an earlier one's.
      await deps.billing.checkpoint(run, usage, run.fence * 100_000 + beat);
    } catch (error) {
      if (error instanceof FencedError) events.onFenced();
      else deps.log.warn({ err: error, runId: run.runId }, 'heartbeat failed');
    }
  }

  return { end: () => clearInterval(timer) };
}
