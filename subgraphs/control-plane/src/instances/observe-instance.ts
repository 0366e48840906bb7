import { serviceScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { observe, type InstanceState, type ObservedResource } from './instance.ts';
import { addEvent, forgetDesired, lockInstance, writeObserved } from './instances.store.ts';

/** Notes that generations are in Git. The state leaves REQUESTED with the first commit. */
export async function noteCommitted(
  { db }: Room,
  caller: Caller,
  items: readonly { outboxId: Uuid; instanceId: Uuid; generation: number; commit: string }[],
): Promise<void> {
  await db.transaction(serviceScope(caller, 'gitops:write'), async (tx) => {
    for (const item of [...items].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1))) {
      const instance = await lockInstance(tx, item.instanceId);
      if (!instance) continue;
      await addEvent(tx, instance, {
        kind: 'committed',
        generation: item.generation,
        message: 'desired state is in Git',
        commit: item.commit,
      });
      if (instance.state === 'REQUESTED')
        await writeObserved(tx, instance.id, {
          state: 'PROVISIONING',
          observedGeneration: instance.observedGeneration,
          conditions: instance.conditions,
        });
    }
    await forgetDesired(
      tx,
      items.map((item) => item.outboxId),
    );
  });
}

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
    await writeObserved(tx, instance.id, {
      state: next.state,
      observedGeneration: next.observedGeneration,
      conditions,
    });
    const at = { generation: input.observedGeneration, commit: input.commit };
    await addEvent(tx, instance, {
      ...at,
      kind: 'applied',
      message: `${input.resources.length} resources taken over`,
    });
    const fault = conditions.find((condition) => condition.status === 'False');
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
