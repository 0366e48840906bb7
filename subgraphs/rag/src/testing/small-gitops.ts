import type { Uuid } from '@agentstore/kernel/ids';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import { silentLog } from '@agentstore/kernel/log';
import type { ServiceClient } from '@agentstore/kernel/service-client';
import type { DesiredState } from '../knowledge-bases/desired-state.store.ts';

const commit = 'c'.repeat(40);

/** The side of gitops that the knowledge subgraph sees, without Git: what is claimed is applied at once, observed, and told until it is as desired. */
export function startSmallGitops(rag: ServiceClient) {
  /** What was written and is not yet seen to be as it should. */
  const applied = new Map<Uuid, DesiredState>();
  const folders = new Set<Uuid>();
  const self = {
    /** Bases whose folder is there. */
    folders,
    /** While true, what is committed stays unobserved. */
    blind: false,
    /** Answers the state. */
    async tell(
      { knowledgeBaseId, generation, engine }: DesiredState,
      seen: { status: string; reason: string; message: string } | undefined,
    ): Promise<string> {
      const kinds = engine.kind === 'Ragflow' ? ['KnowledgeBase', 'RagflowKB'] : ['KnowledgeBase'];
      const condition = {
        type: 'Ready',
        ...seen,
        observedGeneration: generation,
        lastTransitionTime: new Date().toISOString(),
      };
      const { state } = await rag.call<{ state: string }>(
        'POST',
        `/internal/knowledge-bases/${knowledgeBaseId}/conditions`,
        {
          observedGeneration: generation,
          commit,
          resources: seen
            ? kinds.map((kind) => ({ kind, name: knowledgeBaseId, conditions: [condition] }))
            : [],
        },
      );
      return state;
    },
    loop: undefined as Loop | undefined,
  };

  async function round(): Promise<void> {
    const { items } = await rag.call<{ items: (DesiredState & { outboxId: Uuid })[] }>(
      'POST',
      '/internal/gitops:claim',
      { writerId: 'small', limit: 100, waitMs: 0 },
    );
    for (const item of items) {
      applied.set(item.knowledgeBaseId, item);
      folders.add(item.knowledgeBaseId);
    }
    if (items.length)
      await rag.call('POST', '/internal/gitops:committed', {
        items: items.map(({ outboxId, knowledgeBaseId, generation }) => ({
          outboxId,
          knowledgeBaseId,
          generation,
          commit,
        })),
      });
    if (!self.blind) await Promise.all([...applied.values()].map(observe));
  }

  async function observe(state: DesiredState): Promise<void> {
    const { knowledgeBaseId: id } = state;
    const seen =
      state.phase === 'Active'
        ? await rag.call<{ status: string; reason: string; message: string }>(
            'POST',
            `/internal/knowledge-bases/${id}/engine`,
            { generation: state.generation },
          )
        : { status: 'True', reason: 'Applied', message: 'Applied as Deleted.' };
    const became = await self.tell(state, seen);
    if (seen.status !== 'True') return;
    applied.delete(id);
    if (became !== 'DELETED') return;
    folders.delete(id);
    await self.tell(state, undefined);
  }

  self.loop = startLoop({ name: 'small-gitops', log: silentLog, everyMs: 30, work: round });
  return self;
}
