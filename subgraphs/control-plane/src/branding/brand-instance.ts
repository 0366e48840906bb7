import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import type { Instance, InstanceRefusal } from '../instances/instance.ts';
import { instanceById, lockInstance } from '../instances/instances.store.ts';
import { readBranding } from './branding.ts';
import { writeBranding } from './brandings.store.ts';

type Written = Parameters<typeof readBranding>[0];

/**
 * Changes how an instance looks on its owner's sites, on which ones, and what a visitor may cost. It is data, not desired state: it holds from the next
 * session of a widget on, and gives no new generation.
 */
export async function brandInstance(
  { db, branding }: Room,
  caller: Caller,
  { instanceId, written }: { readonly instanceId: Uuid | undefined; readonly written: Written },
): Promise<{ readonly instance: Instance | null; readonly errors: readonly InstanceRefusal[] }> {
  const needs = 'instance:configure';
  const scope = callerScope(caller, needs);
  const read = readBranding(written, branding);
  if ('faults' in read) return { instance: null, errors: read.faults };
  const outcome = await db.transaction(scope, async (tx): Promise<Outcome<Instance, InstanceRefusal>> => {
    const instance = instanceId && (await lockInstance(tx, instanceId));
    if (!instance)
      return refused({
        code: 'INSTANCE_NOT_FOUND',
        message: 'There is no such instance.',
        field: 'instanceId',
      });
    if (instance.desiredPhase === 'Terminated')
      return refused({
        code: 'INVALID_TRANSITION',
        message: 'The instance is TERMINATED or on its way there.',
      });
    await writeBranding(tx, instance, read.change);
    return done(instance);
  });
  if (outcome.ok) return { instance: outcome.value, errors: [] };
  if (instanceId && outcome.error.code === 'INSTANCE_NOT_FOUND')
    await forbidInsiders(db, caller, {
      needs,
      sees: 'instance:read',
      find: (tx) => instanceById(tx, instanceId),
    });
  return { instance: null, errors: [outcome.error] };
}
