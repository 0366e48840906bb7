import { serviceScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import type { Condition } from './condition.ts';
import { observe, type Observation } from './desired-state.ts';
import {
  forgetDesired,
  lockKnowledgeBase,
  markObserved,
  markRemoved,
  queueAgain,
  writeConditions,
} from './desired-state.store.ts';

const gitResource = 'Git';

interface Generation {
  readonly knowledgeBaseId: Uuid;
  readonly generation: number;
}

/** Rows are locked in one order by everybody. */
const inOrder = <Item extends Generation>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => (a.knowledgeBaseId < b.knowledgeBaseId ? -1 : 1));

/** Notes that generations are in Git. */
export async function noteCommitted(
  { db }: Room,
  caller: Caller,
  items: readonly (Generation & { readonly outboxId: Uuid })[],
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const { knowledgeBaseId } of inOrder(items)) {
      const base = await lockKnowledgeBase(tx, knowledgeBaseId);
      const others = base?.conditions.filter(({ resource }) => resource !== gitResource);
      if (others && others.length < base!.conditions.length)
        await writeConditions(tx, knowledgeBaseId, others);
    }
    await forgetDesired(
      tx,
      items.map(({ outboxId }) => outboxId),
    );
  });
}

/** Notes that desired states cannot be written to Git now, and why: whoever waits for the base sees it. */
export async function noteDelayed(
  { db }: Room,
  caller: Caller,
  { items, reason, message }: { items: readonly Generation[]; reason: string; message: string },
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const { knowledgeBaseId, generation } of inOrder(items)) {
      const base = await lockKnowledgeBase(tx, knowledgeBaseId);
      if (!base) continue;
      const delayed: Condition = {
        resource: gitResource,
        type: 'Committed',
        status: 'False',
        reason,
        message,
        observedGeneration: generation,
        lastTransitionTime: new Date().toISOString(),
      };
      const others = base.conditions.filter(({ resource }) => resource !== gitResource);
      await writeConditions(tx, knowledgeBaseId, [delayed, ...others]);
    }
  });
}

/** Notes that Git does not hold what it should of these bases, and puts them in line again. */
export async function noteDrifted(
  { db, log }: Room,
  caller: Caller,
  items: readonly Generation[],
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const { knowledgeBaseId: id, generation } of inOrder(items))
      await queueAgain(tx, { id, generation });
  });
  log.warn({ items }, 'Git held something else of knowledge bases; it is written again');
}

/**
 * Takes over what was observed of a base's applied resources. Answers its state, DELETED once its deletion was seen to be applied and its folder may go;
 * undefined when there is no such base.
 */
export async function observeKnowledgeBase(
  { db }: Room,
  caller: Caller,
  id: Uuid,
  observation: Observation,
): Promise<string | undefined> {
  return db.transaction(serviceScope(caller, 'gitops:observe'), async (tx) => {
    const base = await lockKnowledgeBase(tx, id);
    if (!base) return undefined;
    if (observation.observedGeneration < base.observedGeneration) return base.state;
    const seen = observation.resources.flatMap(({ kind, conditions }) =>
      conditions.map((condition) => ({ ...condition, resource: kind })),
    );
    const ofGit = base.conditions.filter(({ resource }) => resource === gitResource);
    await writeConditions(tx, id, [...ofGit, ...seen]);
    const became = observe(base, observation);
    if (became === 'READY' || became === 'DELETED') await markObserved(tx, id);
    if (became === 'REMOVED') await markRemoved(tx, id);
    return became === 'READY' && base.state === 'FAILED' ? base.state : (became ?? base.state);
  });
}
