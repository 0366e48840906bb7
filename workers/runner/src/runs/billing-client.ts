import { ServiceError, type ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import type { BilledUsage, ClaimedRun } from './claimed-run.ts';
import { untilAnswered } from './runs-client.ts';

type Payer = Pick<ClaimedRun, 'organizationId' | 'runId'>;

/** Billing as a runner uses it. */
export interface BillingClient {
  /** Keeps the reservation alive and notes the usage so far. A failure is only logged: the next one says it again. */
  checkpoint(run: Payer, usage: readonly BilledUsage[], seq: number): Promise<void>;
  /**
   * Closes the reservation at this usage, or gives it back when there is none; the charge in µcr, null when billing refuses for a reason that
   * only a person can mend. Repeats until answered or aborted; the run's id makes that safe.
   */
  close(run: Payer, usage: readonly BilledUsage[], signal: AbortSignal): Promise<string | null>;
}

/** Seconds a reservation lives without another checkpoint. */
const ttlSeconds = 120;

export function createBillingClient(service: ServiceClient, log: Log): BillingClient {
  return {
    async checkpoint({ organizationId, runId }, usage, seq) {
      const body = { organizationId, runId, amount: '0', usage, seq, ttlSeconds };
      await service.call('POST', '/billing/extend', body, { deadlineMs: 2_500 }).catch((error: unknown) => {
        log.warn({ err: error, runId }, 'usage checkpoint failed');
      });
    },
    async close({ organizationId, runId }, usage, signal) {
      const [path, body] =
        usage.length > 0
          ? ['/billing/settle', { organizationId, runId, usage }]
          : ['/billing/release', { organizationId, runId, reason: 'nothing was used' }];
      try {
        const answer = await untilAnswered(
          () => service.call<{ charge: string }>('POST', path, body, { deadlineMs: 5_000 }),
          signal,
        );
        return answer.charge;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        if (error.code === 'RESERVATION_NOT_FOUND' || error.code === 'RESERVATION_RELEASED') return '0';
        log.error({ err: error, runId }, 'the reservation could not be closed');
        return null;
      }
    },
  };
}
