import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { DesiredKnowledgeBase, Queued } from '../desired/desired-state.ts';
import type { Reported } from './small-control-plane.ts';

interface Base {
  state: DesiredKnowledgeBase;
  queued: Queued<DesiredKnowledgeBase> | undefined;
  committed: string[];
  reports: Reported[];
}

/** A small knowledge subgraph that speaks its side of gitops: it queues what is desired, has an engine, and hears what is observed. */
export function createSmallRag() {
  const bases = new Map<string, Base>();
  const self = {
    bases,
    drifted: [] as string[],
    /** Answers nothing at all while true. */
    away: false,
    /** What its engine says of a base; it has every one unless said. */
    engine: { status: 'True', reason: 'EngineReady', message: 'The engine has it.' },
    request(more: Partial<DesiredKnowledgeBase> = {}): string {
      const state: DesiredKnowledgeBase = {
        knowledgeBaseId: uuidv7(),
        generation: 1,
        organizationId: uuidv7(),
        organizationSlug: 'acme',
        projectId: uuidv7(),
        projectSlug: 'default',
        actor: 'user:test',
        phase: 'Active',
        name: 'Manuals',
        language: null,
        limits: { documents: 10, bytes: 1_000 },
        engine: { kind: 'Embedded' },
        ...more,
      };
      bases.set(state.knowledgeBaseId, { state, queued: undefined, committed: [], reports: [] });
      self.change(state.knowledgeBaseId, {}, state.generation);
      return state.knowledgeBaseId;
    },
    change(
      id: string,
      change: Partial<DesiredKnowledgeBase>,
      generation = of(id).state.generation + 1,
    ): void {
      const base = of(id);
      base.state = { ...base.state, ...change, generation };
      base.queued = { ...base.state, outboxId: uuidv7() };
    },
    last: (id: string): Reported | undefined => of(id).reports.at(-1),
    isReady(id: string): boolean {
      const { generation } = of(id).state;
      const { resources } = self.last(id) ?? { resources: [] };
      return (
        resources.length > 0 &&
        resources.every(({ conditions }) =>
          conditions.some(
            (one) => one.type === 'Ready' && one.status === 'True' && one.observedGeneration === generation,
          ),
        )
      );
    },
    fetch,
  };
  const of = (id: string): Base => bases.get(id)!;

  async function fetch(request: Request): Promise<Response> {
    if (self.away) throw new Error('away');
    const { pathname } = new URL(request.url);
    const body = (await request.json()) as {
      items: { outboxId: string; knowledgeBaseId: string; generation: number; commit: string }[];
    };
    const [, id, what] = /^\/internal\/knowledge-bases\/([^/]+)\/(\w+)$/.exec(pathname) ?? [];
    if (id && !bases.has(id)) return problemResponse({ status: 404, code: 'NOT_FOUND', title: 'none' });
    if (what === 'engine') return Response.json(self.engine);
    if (what === 'conditions') {
      of(id!).reports.push(body as never);
      const gone = of(id!).state.phase === 'Deleted' && self.isReady(id!);
      return Response.json({ state: gone ? 'DELETED' : 'READY' });
    }
    switch (pathname) {
      case '/internal/gitops:claim': {
        const items = [...bases.values()].flatMap(({ queued }) => queued ?? []);
        if (!items.length) await new Promise((resolve) => setTimeout(resolve, 20)); // the long poll
        return Response.json({ items });
      }
      case '/internal/gitops:committed':
        for (const item of body.items) {
          const base = of(item.knowledgeBaseId);
          base.committed.push(item.commit);
          if (base.queued?.outboxId === item.outboxId) base.queued = undefined;
        }
        return Response.json({});
      case '/internal/gitops:settled':
        return Response.json({
          items: [...bases.values()].filter(({ queued }) => !queued).map(({ state }) => state),
        });
      case '/internal/gitops:drifted':
        for (const { knowledgeBaseId, generation } of body.items) {
          self.drifted.push(knowledgeBaseId);
          self.change(knowledgeBaseId, {}, generation);
        }
        return Response.json({});
      default:
        return problemResponse({ status: 404, code: 'NOT_FOUND', title: pathname });
    }
  }
  return self;
}
