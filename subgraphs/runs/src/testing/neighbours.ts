import { Hono } from 'hono';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { InstanceFacts } from '../runs/run.ts';

/** A small control plane: answers entitlements from a map that the test fills. */
export function createControlPlane() {
  const instances = new Map<Uuid, InstanceFacts>();
  const http = new Hono();
  http.get('/instances/:id/entitlements', (c) => {
    const facts = instances.get(c.req.param('id'));
    return facts
      ? c.json(facts)
      : problemResponse({ status: 404, code: 'INSTANCE_NOT_FOUND', title: 'There is no such instance.' });
  });
  return {
    fetch: async (request: Request) => http.fetch(request),
    /** Adds an ACTIVE instance; answers what the runs subgraph will be told of it. */
    add(more: Partial<InstanceFacts> = {}): InstanceFacts {
      const facts: InstanceFacts = {
        instanceId: uuidv7(),
        organizationId: uuidv7(),
        offeringId: uuidv7(),
        state: 'ACTIVE',
        paused: false,
        effectiveConfig: {},
        artifact: { bucket: 'artifacts', key: 'flow.json', sha256: '0'.repeat(64), sizeBytes: 1 },
        limits: { maxRunSeconds: 60, maxConcurrentRuns: 100 },
        projectId: uuidv7(),
        toolGrants: { tools: [], bindings: [] },
        ...more,
      };
      instances.set(facts.instanceId, facts);
      return facts;
    },
    set(facts: InstanceFacts): void {
      instances.set(facts.instanceId, facts);
    },
  };
}

/** A reservation as the small billing keeps it. */
export interface HeldCredits {
  readonly organizationId: Uuid;
  readonly body: string;
  status: 'OPEN' | 'SETTLED' | 'RELEASED';
  usage: readonly { dimension: string; quantity: string }[];
  checkpoint: readonly { dimension: string; quantity: string }[] | undefined;
  /** What the last checkpoint said that a run would be charged for. */
  cover: readonly { dimension: string; quantity: string }[] | undefined;
  charge: string;
}

interface Body {
  readonly organizationId: Uuid;
  readonly runId: Uuid;
  readonly usage: HeldCredits['usage'];
  readonly cover: HeldCredits['cover'];
  readonly [member: string]: unknown;
}

/** A small billing that speaks its contract: every run reserves 10 credits and is charged 1 µcr a unit. */
export function createBilling() {
  const reservations = new Map<Uuid, HeldCredits>();
  const reserve = 10_000_000n;
  const state = {
    available: 1_000_000_000n,
    down: false,
    loseAnswers: 0,
    refuseRaise: undefined as 'INSUFFICIENT_CREDITS' | 'MAX_CHARGE_REACHED' | 'WALLET_FROZEN' | undefined,
    refuseStart: undefined as string | undefined,
    faulty: undefined as Uuid | undefined,
  };
  const problem = (status: number, code: string, facts: object = {}): Response =>
    problemResponse({ ...facts, status, code, title: code });
  const http = new Hono();
  http.use(async (c, next) => {
    if (state.down) return problem(503, 'UNAVAILABLE');
    await next();
    if (state.loseAnswers > 0) {
      state.loseAnswers -= 1;
      c.res = problem(504, 'UNAVAILABLE');
    }
    return undefined;
  });
  http.post('/billing/authorize', async (c) => {
    const body: Body = await c.req.json();
    const known = reservations.get(body.runId);
    const text = JSON.stringify({ ...body, ttlSeconds: 0 });
    if (known && known.body !== text) return problem(409, 'IDEMPOTENCY_CONFLICT');
    if (!known) {
      if (state.refuseStart) return problem(409, state.refuseStart);
      if (typeof body['maxCharge'] === 'string' && BigInt(body['maxCharge']) < reserve)
        return problem(409, 'MAX_CHARGE_TOO_LOW', { required: reserve.toString() });
      if (state.available < reserve)
        return problem(402, 'INSUFFICIENT_CREDITS', {
          required: reserve.toString(),
          available: state.available.toString(),
          missing: (reserve - state.available).toString(),
        });
      state.available -= reserve;
      const { organizationId } = body;
      reservations.set(body.runId, {
        organizationId,
        body: text,
        status: 'OPEN',
        usage: [],
        checkpoint: undefined,
        cover: undefined,
        charge: '0',
      });
    }
    const { status } = reservations.get(body.runId)!;
    return c.json({
      reservationId: body.runId,
      amount: reserve.toString(),
      status,
      replayed: known !== undefined,
    });
  });
  http.post('/billing/settle', async (c) => {
    const { runId, usage }: Body = await c.req.json();
    const held = reservations.get(runId);
    if (!held) return problem(404, 'RESERVATION_NOT_FOUND');
    if (held.status === 'RELEASED') return problem(409, 'RESERVATION_RELEASED');
    const replayed = held.status === 'SETTLED';
    if (!replayed) {
      held.status = 'SETTLED';
      held.usage = usage;
      held.charge = usage.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n).toString();
    }
    return c.json({ ledgerEntryId: runId, charge: held.charge, replayed });
  });
  http.post('/billing/release', async (c) => {
    const { runId, organizationId }: Body = await c.req.json();
    const held = reservations.get(runId);
    if (!held) return problem(404, 'RESERVATION_NOT_FOUND');
    if (organizationId === state.faulty) return problem(500, 'INTERNAL');
    if (held.status === 'OPEN') {
      held.status = 'RELEASED';
      state.available += reserve;
    }
    return c.json({ state: held.status, charge: held.charge, replayed: false });
  });
  http.post('/billing/extend', async (c) => {
    const { runId, usage, cover }: Body = await c.req.json();
    const held = reservations.get(runId);
    if (!held) return problem(404, 'RESERVATION_NOT_FOUND');
    held.checkpoint = usage;
    held.cover = cover;
    if (state.refuseRaise) return problem(402, state.refuseRaise);
    return c.json({ amount: reserve.toString(), expiresInMs: 120_000 });
  });
  return {
    fetch: async (request: Request) => http.fetch(request),
    reservations,
    /** What the test may turn: credits left, whether billing answers at all, answers to lose after the work was done, why no reservation is raised or made, whose release fails. */
    state,
  };
}
