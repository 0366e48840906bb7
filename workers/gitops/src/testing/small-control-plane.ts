import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { DesiredState, QueuedState } from '../desired/desired-state.ts';
import type { Condition } from '../applier/conditions.ts';

/** What was reported of an instance. */
export interface Reported {
  readonly observedGeneration: number;
  readonly commit: string;
  readonly resources: readonly { kind: string; conditions: readonly Condition[] }[];
}
interface Instance {
  state: DesiredState;
  queued: QueuedState | undefined;
  committed: string[];
  reports: Reported[];
}

/** A small control plane that speaks its side of gitops: it queues desired states, hears what was committed and observed, and never forgets. */
export function createSmallControlPlane() {
  const instances = new Map<string, Instance>();
  const self = {
    instances,
    claims: [] as string[],
    delayed: [] as { instanceId: string; reason: string }[],
    drifted: [] as string[],
    /** What comes before an answer to a claim. */
    beforeClaim: undefined as (() => Promise<void>) | undefined,
    /** While false, the sweep is told of no instance, so that what a test pushes by hand stays. */
    sweeping: true,
    /** Answers reports of these instances with that status. */
    refusing: new Map<string, number>(),
    /** A new instance in line for Git. */
    request(more: Partial<DesiredState> = {}): string {
      const state = desired(more);
      instances.set(state.instanceId, { state, queued: undefined, committed: [], reports: [] });
      self.change(state.instanceId, {}, state.generation);
      return state.instanceId;
    },
    /** A new desired state of one that is there. */
    change(id: string, change: Partial<DesiredState>, generation = of(id).state.generation + 1): void {
      const instance = of(id);
      instance.state = { ...instance.state, ...change, generation };
      instance.queued = { ...instance.state, outboxId: uuidv7() };
    },
    last: (id: string): Reported | undefined => of(id).reports.at(-1),
    /** Whether every kind was reported ready at that generation. */
    isReady(id: string, generation = of(id).state.generation): boolean {
      const { resources, observedGeneration } = self.last(id) ?? { resources: [], observedGeneration: 0 };
      return (
        observedGeneration === generation &&
        resources.length === 3 &&
        resources.every(({ conditions }) =>
          conditions.some(
            (one) => one.type === 'Ready' && one.status === 'True' && one.observedGeneration === generation,
          ),
        )
      );
    },
    fetch,
  };
  const of = (id: string): Instance => instances.get(id)!;

  async function fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = (await request.json()) as never;
    const id = /^\/internal\/instances\/([^/]+)\/conditions$/.exec(pathname)?.[1];
    if (id) return observed(id, body);
    switch (pathname) {
      case '/internal/gitops:claim':
        return claim(body);
      case '/internal/gitops:committed':
        return committed(body);
      case '/internal/gitops:delayed':
        self.delayed.push(
          ...(body as { items: { instanceId: string }[]; reason: string }).items.map(({ instanceId }) => ({
            instanceId,
            reason: (body as { reason: string }).reason,
          })),
        );
        return Response.json({});
      case '/internal/gitops:settled':
        return settled(body);
      case '/internal/gitops:drifted':
        return drifted(body);
      default:
        return problemResponse({ status: 404, code: 'NOT_FOUND', title: pathname });
    }
  }

  async function claim({ writerId }: { writerId: string }): Promise<Response> {
    await self.beforeClaim?.();
    self.claims.push(writerId);
    const items = [...instances.values()].flatMap(({ queued }) => (queued ? [queued] : []));
    if (!items.length) await new Promise((resolve) => setTimeout(resolve, 20)); // the long poll
    return Response.json({ items });
  }

  function committed({
    items,
  }: {
    items: { outboxId: string; instanceId: string; commit: string }[];
  }): Response {
    for (const item of items) {
      const instance = of(item.instanceId);
      instance.committed.push(item.commit);
      if (instance.queued?.outboxId === item.outboxId) instance.queued = undefined;
    }
    return Response.json({});
  }

  function observed(id: string, report: Reported): Response {
    const status = self.refusing.get(id) ?? (instances.has(id) ? 200 : 404);
    if (status !== 200) return problemResponse({ status, code: 'REFUSED', title: 'not taken' });
    of(id).reports.push(report);
    const gone = of(id).state.phase === 'Terminated' && self.isReady(id);
    return Response.json({ state: gone ? 'TERMINATED' : 'ACTIVE' });
  }

  function settled({ after, limit }: { after?: string; limit: number }): Response {
    const items = [...instances.values()]
      .filter(
        ({ queued, state }) =>
          self.sweeping && !queued && state.instanceId > (after ?? '') && state.phase !== 'Terminated',
      )
      .map(({ state }) => state)
      .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
    return Response.json({ items: items.slice(0, limit) });
  }

  function drifted({ items }: { items: { instanceId: string; generation: number }[] }): Response {
    for (const { instanceId, generation } of items) {
      self.drifted.push(instanceId);
      self.change(instanceId, {}, generation);
    }
    return Response.json({});
  }
  return self;
}

function desired(more: Partial<DesiredState>): DesiredState {
  const organizationId = uuidv7();
  return {
    instanceId: uuidv7(),
    generation: 1,
    organizationId,
    organizationSlug: `org-${organizationId.slice(-6)}`,
    projectId: uuidv7(),
    projectSlug: 'default',
    actor: 'user:test',
    phase: 'Active',
    offering: { id: uuidv7(), slug: 'support-agent' },
    version: { id: uuidv7(), version: '1.0.0' },
    artifact: { bucket: 'artifacts', key: 'flow.json', sha256: 'a'.repeat(64), sizeBytes: 10 },
    plan: { id: uuidv7(), code: 'pro' },
    config: {},
    limits: { maxRunSeconds: 60, maxConcurrentRuns: 5 },
    entitlements: [{ capability: 'chat', limits: {} }],
    connectorRules: [],
    ...more,
  };
}
