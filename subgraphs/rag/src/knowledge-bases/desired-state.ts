import type { EngineSpec } from '../engines/engine.ts';
import type { Condition } from './condition.ts';
import type { KnowledgeBase } from './knowledge-base.ts';

/** What was seen of the applied resources of a base; without any, nothing of it is applied. */
export interface Observation {
  readonly observedGeneration: number;
  readonly resources: readonly {
    readonly kind: string;
    readonly conditions: readonly Omit<Condition, 'resource'>[];
  }[];
}

const kindsOf = ({ kind }: EngineSpec): readonly string[] =>
  kind === 'Ragflow' ? ['KnowledgeBase', 'RagflowKB'] : ['KnowledgeBase'];

/**
 * What an observation makes of a base. READY when every one of its resources was seen to be ready at the desired generation, never before. REMOVED when, of
 * one whose deletion was seen to be applied, nothing is applied any longer. Undefined: it stays as it is.
 */
export function observe(
  base: Pick<KnowledgeBase, 'desiredPhase' | 'desiredGeneration' | 'observedGeneration' | 'engine'>,
  { observedGeneration, resources }: Observation,
): 'READY' | 'DELETED' | 'REMOVED' | undefined {
  if (resources.length === 0)
    return base.desiredPhase === 'Deleted' && base.observedGeneration === base.desiredGeneration
      ? 'REMOVED'
      : undefined;
  const ready =
    observedGeneration === base.desiredGeneration &&
    kindsOf(base.engine).every((kind) => resources.some((resource) => resource.kind === kind)) &&
    resources.every(({ conditions }) =>
      conditions.some(
        (one) =>
          one.type === 'Ready' && one.status === 'True' && one.observedGeneration === observedGeneration,
      ),
    );
  if (!ready) return undefined;
  return base.desiredPhase === 'Deleted' ? 'DELETED' : 'READY';
}

/** What a base waits for, in words: the first thing that was seen not to be as it should. */
export const waitingFor = ({ conditions }: Pick<KnowledgeBase, 'conditions'>): string | null =>
  conditions.find(({ status }) => status !== 'True')?.message ?? null;
