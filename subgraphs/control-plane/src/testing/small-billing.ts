import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { problemResponse } from '@agentstore/kernel/http/problem';

/** The body of `POST /wallet/topup`. */
export interface TopUp {
  readonly organizationId: string;
  readonly kind: string;
  readonly key: string;
  readonly credits: string;
  readonly expiresAfterDays?: number;
}

/** A small billing that speaks its contract for top-ups and rate cards: a key grants once, another body under it is a conflict. */
export function createSmallBilling() {
  const granted = new Map<string, TopUp>();
  const rateCards = new Map<string, unknown>();
  const billing = {
    granted,
    rateCards,
    /** While true, every call is answered 503. */
    down: false,
    /** Calls so far, answered or not. */
    calls: 0,
    grantsOf: (organizationId: string): TopUp[] =>
      [...granted.values()].filter((one) => one.organizationId === organizationId),
    async fetch(request: Request): Promise<Response> {
      billing.calls += 1;
      const { pathname } = new URL(request.url);
      const body: unknown = await request.json();
      if (billing.down) return problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'down' });
      if (pathname === '/wallet/topup') return topUp(body as TopUp);
      rateCards.set(pathname.split('/').at(-1)!, body);
      return Response.json({ version: 1 });
    },
  };
  function topUp(body: TopUp): Response {
    const before = granted.get(body.key);
    if (before && canonicalJson(before) !== canonicalJson(body))
      return problemResponse({ status: 409, code: 'IDEMPOTENCY_CONFLICT', title: 'another body' });
    if (!/^[1-9][0-9]*$/.test(body.credits))
      return problemResponse({ status: 400, code: 'BAD_REQUEST', title: 'credits must be more than zero' });
    granted.set(body.key, body);
    return Response.json({ ledgerEntryId: body.key, balance: body.credits, replayed: before !== undefined });
  }
  return billing;
}
