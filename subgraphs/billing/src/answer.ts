import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';

/** What the commands in SQL answer: the facts of success, or a refusal's code with its facts (amounts as decimal strings). */
export type SqlAnswer = { ok: true; [fact: string]: unknown } | { refused: string; [fact: string]: unknown };

/** A refused command on money; `facts` are e.g. `{ required, available, missing }`. */
export interface BillingRefusal extends Refusal {
  readonly facts: Readonly<Record<string, unknown>>;
}

const messages: Readonly<Record<string, string>> = {
  INSUFFICIENT_CREDITS: 'The wallet has too few credits available.',
  IDEMPOTENCY_CONFLICT: 'This key was used before with another body.',
  MAX_CHARGE_TOO_LOW: 'The most to charge is less than what the run reserves.',
  MAX_CHARGE_REACHED: 'The run has used more than its own maximum.',
  WALLET_NOT_FOUND: 'The organization has no wallet yet.',
  WALLET_FROZEN: 'The wallet is frozen.',
  RESERVATION_NOT_FOUND: 'There is no such reservation.',
  RESERVATION_NOT_OPEN: 'The reservation is no longer open.',
  RESERVATION_RELEASED: 'The reservation was released; nothing can be charged to it.',
  RATE_CARD_NOT_FOUND: 'The offering has no rate card.',
  RUN_ID_OUT_OF_TIME: "The run's id is not of the last 24 hours by the database's clock.",
  TOP_UP_NOT_FOUND: 'This top-up was taken back before, under another key.',
  TOP_UP_REVOKED: 'This top-up was taken back before it came.',
};

/** An SQL answer as an outcome. */
export function outcomeOf<T>(answer: SqlAnswer): Outcome<T, BillingRefusal> {
  if ('refused' in answer) {
    const { refused: code, ...facts } = answer;
    return refused({ code: String(code), message: messages[String(code)] ?? String(code), facts });
  }
  const { ok: _ok, ...value } = answer;
  return done(value as T);
}
