import { formatCredits } from '@agentstore/kernel/credits';
import { ServiceError, type ServiceClient } from '@agentstore/kernel/http/client';
import type { Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts, RunRefusal } from './run.ts';

/** How a reservation ended: it holds, it is of the past (its run id cannot be used any more), or it was refused. */
export type Reserved =
  | { readonly kind: 'open' }
  | { readonly kind: 'spent' }
  | { readonly kind: 'refused'; readonly refusal: RunRefusal };

/** Seconds a reservation outlives its run's deadline, for the runner to settle it. */
const graceSeconds = 60;

/**
 * Holds credits for a run under the run's id, as long as the run may take. Safe to repeat: billing answers the same id with the same
 * reservation. Throws UnavailableError when billing cannot be reached.
 */
export async function reserveCredits(
  billing: ServiceClient,
  facts: InstanceFacts,
  run: { runId: Uuid; maxCharge: bigint | undefined },
): Promise<Reserved> {
  const body = {
    organizationId: facts.organizationId,
    instanceId: facts.instanceId,
    offeringId: facts.offeringId,
    runId: run.runId,
    ttlSeconds: Math.min(3_600, facts.limits.maxRunSeconds + graceSeconds),
    ...(run.maxCharge === undefined ? {} : { maxCharge: run.maxCharge }),
  };
  try {
    const { status } = await billing.call<{ status?: string }>('POST', '/billing/authorize', body, {
      deadlineMs: 3_000,
      retries: 1,
    });
    return { kind: status === undefined || status === 'OPEN' ? 'open' : 'spent' };
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'RUN_ID_OUT_OF_TIME') return { kind: 'spent' };
    const refusal = error instanceof ServiceError ? refusalOf(error) : undefined;
    if (!refusal) throw error;
    return { kind: 'refused', refusal };
  }
}

function refusalOf(error: ServiceError): RunRefusal | undefined {
  const amount = (name: string): bigint => {
    const fact = error.facts[name];
    return typeof fact === 'string' ? BigInt(fact) : 0n;
  };
  switch (error.code) {
    case 'INSUFFICIENT_CREDITS': {
      const [required, available, missing] = [amount('required'), amount('available'), amount('missing')];
      return {
        code: 'INSUFFICIENT_CREDITS',
        message: `The run reserves ${formatCredits(required)} credits and ${formatCredits(available)} are available: ${formatCredits(missing)} are missing.`,
        required,
        available,
        missing,
      };
    }
    case 'WALLET_NOT_FOUND':
      return { code: 'INSUFFICIENT_CREDITS', message: 'The organization has no credits yet.', available: 0n };
    case 'WALLET_FROZEN':
      return { code: 'WALLET_FROZEN', message: 'The wallet is frozen.' };
    case 'RATE_CARD_NOT_FOUND':
      return { code: 'NOT_PRICED', message: 'The offering has no price yet.', field: 'instanceId' };
    default:
      return undefined;
  }
}

/** Gives back what a run that never began, or never used anything, had reserved; answers what it was charged before, if it was. Safe to repeat; nothing reserved is fine too. */
export async function releaseCredits(
  billing: ServiceClient,
  run: { organizationId: Uuid; runId: Uuid; reason: string },
): Promise<string> {
  try {
    const { charge } = await billing.call<{ charge: string }>('POST', '/billing/release', run, {
      deadlineMs: 3_000,
      retries: 2,
    });
    return charge;
  } catch (error) {
    if (!(error instanceof ServiceError && error.status === 404)) throw error;
    return '0';
  }
}
