import { ServiceError, type ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import type { BilledUsage, ClaimedRun } from './claimed-run.ts';
import { untilAnswered } from './runs-client.ts';

type Payer = Pick<ClaimedRun, 'organizationId' | 'runId'>;

/** What a run used until now. */
export interface UsageSoFar {
  /** What it is charged if its runner is lost. */
  readonly lost: readonly BilledUsage[];
  /** What it would be charged were it to end by itself. */
  readonly whole: readonly BilledUsage[];
}

/** Why a run is not paid for any longer: its own maximum is used up, or the wallet is. */
export type Exhausted = 'max-charge' | 'exhausted';
const exhaustedBy: Readonly<Record<string, Exhausted>> = {
  MAX_CHARGE_REACHED: 'max-charge',
  INSUFFICIENT_CREDITS: 'exhausted',
  WALLET_FROZEN: 'exhausted',
};

/** Billing as a runner uses it. */
export interface BillingClient {
  /**
   * Keeps the reservation alive, notes the usage so far, and raises the reservation to what the run would be charged now. Answers why it cannot
   * be raised any further, when it cannot. A failure is only logged: the next one says it again.
   */
  checkpoint(run: Payer, usage: UsageSoFar, seq: number): Promise<Exhausted | undefined>;
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
    async checkpoint({ organizationId, runId }, { lost, whole }, seq) {
      const body = { organizationId, runId, amount: '0', usage: lost, cover: whole, seq, ttlSeconds };
      try {
        await service.call('POST', '/billing/extend', body, { deadlineMs: 2_500 });
      } catch (error) {
        const exhausted = error instanceof ServiceError ? exhaustedBy[error.code] : undefined;
        if (exhausted) return exhausted;
        log.warn({ err: error, runId }, 'usage checkpoint failed');
      }
      return undefined;
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
