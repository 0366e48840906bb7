import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import type { Instance, InstanceRefusal } from '../instances/instance.ts';
import { instanceById, lockInstance } from '../instances/instances.store.ts';
import { identityKeysOf } from './identity-key.ts';
import { revokeSessionsOf } from './widget-sessions.store.ts';
import { renewWidgetKey, setIdentityKeys } from './widgets.store.ts';

type Changed = Promise<Outcome<Instance, InstanceRefusal>>;

/** Sets the public keys with which the customer's servers say who a visitor is, in place of those before. */
export async function setWidgetKeys(
  room: Room,
  caller: Caller,
  input: { readonly instanceId: Uuid | undefined; readonly identityKeys: readonly unknown[] },
): Changed {
  const given = await identityKeysOf(input.identityKeys);
  if ('fault' in given)
    return refused({ code: 'INVALID_IDENTITY_KEY', message: given.fault, field: 'identityKeys' });
  return change(
    room,
    caller,
    input.instanceId,
    async (tx, id) => void (await setIdentityKeys(tx, id, given.keys)),
  );
}

/** Ends all sessions of an instance's visitors and gives its widget another key. */
export const revokeWidget = (room: Room, caller: Caller, instanceId: Uuid | undefined): Changed =>
  change(room, caller, instanceId, async (tx, id) => {
    await renewWidgetKey(tx, id);
    await revokeSessionsOf(tx, id);
  });

async function change(
  { db }: Room,
  caller: Caller,
  instanceId: Uuid | undefined,
  work: (tx: Tx, id: Uuid) => Promise<void>,
): Changed {
  const needs = 'instance:configure';
  const changed = await db.transaction(callerScope(caller, needs), async (tx) => {
    if (!instanceId || !(await lockInstance(tx, instanceId))) return undefined;
    await work(tx, instanceId);
    return instanceById(tx, instanceId);
  });
  if (changed) return done(changed);
  if (instanceId)
    await forbidInsiders(db, caller, {
      needs,
      sees: 'instance:read',
      find: (tx) => instanceById(tx, instanceId),
    });
  return refused({ code: 'INSTANCE_NOT_FOUND', message: 'There is no such instance.', field: 'instanceId' });
}
