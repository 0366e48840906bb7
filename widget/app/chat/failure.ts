import type { Failure } from './trouble.ts';

const failures: Readonly<Record<string, Failure>> = {
  INSUFFICIENT_CREDITS: 'out-of-credits',
  WALLET_FROZEN: 'out-of-credits',
  CREDITS_EXHAUSTED: 'out-of-credits',
  VISITOR_CAP_REACHED: 'visitor-cap',
  MAX_CHARGE_REACHED: 'visitor-cap',
  INSTANCE_PAUSED: 'paused',
  INSTANCE_NOT_ACTIVE: 'paused',
  TOO_MANY_RUNS: 'too-many-runs',
};

/** Why a message was not taken. */
export const refusalOf = (code: string): Failure => failures[code] ?? 'rejected';

/** Why an answer failed. */
export const failureOf = (code: string | undefined): Failure => failures[code ?? ''] ?? 'answer-failed';
