import type { Caller } from '@agentstore/kernel/caller';
import type { RunError, RunErrorCode, RunRefusal } from './run.ts';

/** Whether amounts, usage and what ails the organization's plan are hidden from the caller. */
export const isVisitor = (caller: Caller): boolean => caller.kind === 'WIDGET_SESSION';

type Words = Partial<Record<RunRefusal['code'], { readonly code?: RunRefusal['code']; message: string }>>;

const notAvailable = { code: 'INSTANCE_NOT_ACTIVE', message: 'The agent is not available.' } as const;
const outOfCredits = { code: 'INSUFFICIENT_CREDITS', message: 'The agent is out of credits.' } as const;

/** What a visitor is told instead: nothing of amounts, the wallet, the plan or the instance's life. */
const refusalWords: Words = {
  INSTANCE_NOT_ACTIVE: notAvailable,
  NOT_PRICED: notAvailable,
  INSTANCE_PAUSED: { message: 'The agent is paused.' },
  INSUFFICIENT_CREDITS: outOfCredits,
  WALLET_FROZEN: outOfCredits,
  TOO_MANY_RUNS: { message: 'The agent is busy. Try again in a moment.' },
};

/** A refusal as a visitor gets it. */
export function refusalForVisitor({ code, message, field }: RunRefusal): RunRefusal {
  return { code, message, ...(field === undefined ? {} : { field }), ...refusalWords[code] };
}

const errorWords: Partial<Record<RunErrorCode, string>> = {
  CREDITS_EXHAUSTED: 'The agent is out of credits.',
  MAX_CHARGE_REACHED: 'Your share of this agent is used up for now.',
};

/** Why a run failed, as a visitor is told it: nothing of the flow or the wallet. */
export const wordsForVisitor = ({ code }: RunError): string =>
  errorWords[code] ?? 'The agent could not answer.';
