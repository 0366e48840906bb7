import { json } from '@agentstore/kernel/http/service-app';
import { problemResponse } from '@agentstore/kernel/http/problem';
import type { Outcome } from '@agentstore/kernel/outcome';
import type { BillingRefusal } from './answer.ts';

const statusOf: Readonly<Record<string, number>> = {
  INSUFFICIENT_CREDITS: 402,
  MAX_CHARGE_REACHED: 402,
  WALLET_NOT_FOUND: 404,
  RESERVATION_NOT_FOUND: 404,
  RATE_CARD_NOT_FOUND: 404,
  TOP_UP_NOT_FOUND: 404,
  IDEMPOTENCY_CONFLICT: 409,
  MAX_CHARGE_TOO_LOW: 409,
  RESERVATION_NOT_OPEN: 409,
  RESERVATION_RELEASED: 409,
  RUN_ID_OUT_OF_TIME: 400,
  WALLET_FROZEN: 423,
};

/** An outcome as a REST answer: 200 with the value, or a problem with the refusal's code and facts. */
export function respond(outcome: Outcome<unknown, BillingRefusal>): Response {
  if (outcome.ok) return json(outcome.value);
  const { code, message, facts } = outcome.error;
  return problemResponse({ ...facts, status: statusOf[code] ?? 409, code, title: message });
}
