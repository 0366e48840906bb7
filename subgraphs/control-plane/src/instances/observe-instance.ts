import { serviceScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import {
  gitResource,
  observe,
  withCommitted,
  type InstanceState,
  type ObservedResource,
} from './instance.ts';
import { addEvent, forgetDesired, lockInstance, queueAgain, writeObserved } from './instances.store.ts';

/** Notes that generations are in Git. The state leaves REQUESTED with the first commit. */
export async function noteCommitted(
  { db }: Room,
  caller: Caller,
  items: readonly { outboxId: Uuid; instanceId: Uuid; generation: number; commit: string }[],
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const item of inOrder(items)) {
      const instance = await lockInstance(tx, item.instanceId);
      if (!instance) continue;
      await addEvent(tx, instance, {
        kind: 'committed',
        generation: item.generation,
        message: 'desired state is in Git',
        commit: item.commit,
      });
      const conditions = withCommitted(instance.conditions, {
        status: 'True',
        reason: 'Committed',
        message: 'The desired state is in Git.',
        observedGeneration: item.generation,
      });
      const state = instance.state === 'REQUESTED' ? 'PROVISIONING' : instance.state;
      if (conditions || state !== instance.state)
        await writeObserved(tx, instance.id, {
          state,
          observedGeneration: instance.observedGeneration,
          conditions: conditions ?? instance.conditions,
        });
    }
    await forgetDesired(
      tx,
      items.map((item) => item.outboxId),
    );
  });
}

/** Notes that desired states cannot be written to Git now, and why: whoever waits for the instance sees it. */
export async function noteDelayed(
  { db }: Room,
  caller: Caller,
  input: { items: readonly { instanceId: Uuid; generation: number }[]; reason: string; message: string },
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const { instanceId, generation } of inOrder(input.items)) {
      const instance = await lockInstance(tx, instanceId);
      const conditions =
        instance &&
        withCommitted(instance.conditions, {
          status: 'False',
          reason: input.reason,
          message: input.message,
          observedGeneration: generation,
        });
      if (conditions) await writeObserved(tx, instanceId, { ...instance, conditions });
    }
  });
}

/** Notes that Git does not hold what it should of these instances, and puts them in line again. */
export async function noteDrifted(
  { db }: Room,
  caller: Caller,
  items: readonly { instanceId: Uuid; generation: number }[],
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const item of inOrder(items)) {
      const queued = await queueAgain(tx, item);
      if (queued)
        await addEvent(
          tx,
          { id: item.instanceId, organizationId: queued.organizationId },
          {
            kind: 'drifted',
            generation: item.generation,
            message: 'Git held something else; it is written again',
          },
        );
    }
  });
}

/** Rows are locked in one order by everybody. */
const inOrder = <Item extends { instanceId: Uuid }>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));

const settledWord: Readonly<Partial<Record<InstanceState, string>>> = {
  ACTIVE: 'active',
  PAUSED: 'paused',
  TERMINATED: 'terminated',
};

/** Takes over what was observed of an instance's applied resources; answers its state, or undefined when there is no such instance. */
export async function observeInstance(
  { db }: Room,
  caller: Caller,
  input: {
    instanceId: Uuid;
    observedGeneration: number;
    commit: string;
    resources: readonly ObservedResource[];
  },
): Promise<InstanceState | undefined> {
  return db.transaction(serviceScope(caller, 'gitops:observe'), async (tx) => {
    const instance = await lockInstance(tx, input.instanceId);
    if (!instance) return undefined;
    const next = observe(instance, input);
    if (input.observedGeneration < instance.observedGeneration) return instance.state;
    const conditions = input.resources.flatMap(({ kind, conditions: all }) =>
      all.map((condition) => ({ ...condition, resource: kind })),
    );
    const ofGit = instance.conditions.filter(({ resource }) => resource === gitResource);
    await writeObserved(tx, instance.id, {
      state: next.state,
      observedGeneration: next.observedGeneration,
      conditions: [...ofGit, ...conditions],
    });
    const at = { generation: input.observedGeneration, commit: input.commit };
    await addEvent(tx, instance, {
      ...at,
      kind: 'applied',
      message: `${input.resources.length} resources taken over`,
    });
    // One of an older generation was told at that one.
    const fault = conditions.find(
      ({ status, observedGeneration }) =>
        status === 'False' && observedGeneration >= input.observedGeneration,
    );
    if (fault)
      await addEvent(tx, instance, {
        ...at,
        kind: 'failed',
        message: `${fault.resource}: ${fault.reason}: ${fault.message}`,
      });
    if (next.ready) {
      await addEvent(tx, instance, { ...at, kind: 'ready', message: 'every resource reports Ready' });
      await addEvent(tx, instance, {
        ...at,
        kind: settledWord[next.state] ?? 'active',
        message: `state ${next.state}`,
      });
    }
    return next.state;
  });
}
