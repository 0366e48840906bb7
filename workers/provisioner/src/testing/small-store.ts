import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';

interface Snapshot {
  readonly held?: string;
  readonly order: {
    readonly id: string;
    readonly userId: string | null;
    readonly userEmail: string | null;
    readonly lines: readonly {
      readonly id: string;
      readonly variantId: string | null;
      readonly quantity: number;
    }[];
  };
}

/** The control plane and billing by their contracts, as small as the provisioner needs them. */
export interface SmallStore {
  readonly controlPlane: ServiceClient;
  readonly billing: ServiceClient;
  /** Lines granted, by their keys; once for ever. */
  readonly granted: Map<string, object>;
  /** Top-ups by their keys, in order. */
  readonly topUps: Map<string, object>;
  readonly clawedBack: string[];
  readonly revoked: Map<string, string>;
  /** What operators see: reasons by order. */
  readonly parked: Map<string, string>;
  /** Variants that a plan or a credit pack is bound to. */
  readonly plans: Set<string>;
  readonly packs: Set<string>;
  /** Users that are known here; others are guests. */
  readonly users: Set<string>;
  /** As if nothing had been granted, topped up or revoked yet. */
  forget(): void;
  /** Instead of what a path would be answered; undefined for that. */
  instead: (path: string, body: Record<string, unknown>) => Response | undefined;
}

export function createSmallStore(): SmallStore {
  const store: Omit<SmallStore, 'controlPlane' | 'billing'> = {
    granted: new Map(),
    topUps: new Map(),
    clawedBack: [],
    revoked: new Map(),
    parked: new Map(),
    plans: new Set(['plan']),
    packs: new Set(['pack']),
    users: new Set(['VXNlcjo0NQ==']),
    instead: () => undefined,
    forget() {
      for (const one of [store.granted, store.topUps, store.revoked, store.parked]) one.clear();
      store.clawedBack.length = 0;
    },
  };
  const client = (name: string, answer: (path: string, body: never) => Response): ServiceClient =>
    createServiceClient({
      name,
      baseUrl: `http://${name}`,
      send: async (request) => {
        const path = new URL(request.url).pathname;
        const body = (await request.json()) as Record<string, unknown>;
        return store.instead(path, body) ?? answer(path, body as never);
      },
    });

  function orderPaid({ held, order }: Snapshot): Response {
    const parkedAs = (reason: string) =>
      Response.json({
        organizationId: null,
        claim: false,
        lines: order.lines.map(({ id }) => ({ lineId: id, outcome: 'parked', reason })),
      });
    const tombstone = store.revoked.get(order.id);
    if (tombstone) return parkedAs(`ORDER_REVOKED: ${tombstone}`);
    if (!store.users.has(order.userId ?? ''))
      return Response.json({ organizationId: null, claim: true, lines: [] });
    const lines = order.lines.map(({ id, variantId, quantity }) => {
      const before = store.granted.get(`${order.id} ${id}`);
      if (before) return before;
      const outcome = held
        ? { outcome: 'parked', reason: held }
        : store.plans.has(variantId ?? '')
          ? { outcome: 'instance', planGrant: { credits: '500', expiresAfterDays: 31 } }
          : store.packs.has(variantId ?? '')
            ? { outcome: 'creditPack', credits: String(1_000 * quantity), expiresAfterDays: null }
            : { outcome: 'parked', reason: `UNKNOWN_VARIANT: ${variantId}` };
      const line = { lineId: id, ...outcome };
      if (outcome.outcome !== 'parked') store.granted.set(`${order.id} ${id}`, line);
      return line;
    });
    return Response.json({ organizationId: 'organization', claim: false, lines });
  }

  function orderRevoked({ orderId, reason }: { orderId: string; reason: string }): Response {
    const lines = [...store.granted]
      .filter(([key]) => key.startsWith(`${orderId} `))
      .map(([, line]) => line as { lineId: string; outcome: string });
    if (reason === 'CHARGED_BACK' && lines.length === 0)
      return Response.json({ organizationId: null, topUpLines: [], revoked: false });
    store.revoked.set(orderId, reason);
    return Response.json({
      organizationId: lines.length ? 'organization' : null,
      topUpLines: lines.map(({ lineId, outcome }) => (outcome === 'instance' ? `${lineId}:plan` : lineId)),
      revoked: true,
    });
  }

  function orderParked({ orderId, reason }: { orderId: string; reason: string | null }): Response {
    if (reason === null) store.parked.delete(orderId);
    else store.parked.set(orderId, reason);
    return Response.json({});
  }

  return Object.assign(store, {
    controlPlane: client('control-plane', (path, body) => {
      if (path.endsWith('/order-paid')) return orderPaid(body);
      return path.endsWith('/order-revoked') ? orderRevoked(body) : orderParked(body);
    }),
    billing: client('billing', (path, body: { key: string; topUpKey: string }) => {
      if (path === '/wallet/clawback') store.clawedBack.push(body.topUpKey);
      else if (store.clawedBack.includes(body.key))
        return problemResponse({ status: 409, code: 'TOP_UP_REVOKED', title: 'taken back before it came' });
      else store.topUps.set(body.key, body);
      return Response.json({});
    }),
  });
}
