import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { forbidInsiders } from '../forbid-insiders.ts';
import { bindingsById, claimWrite, lockBinding, markRevoked } from './bindings.store.ts';
import { secretFault, type Binding, type BindingRefusal, type SecretField } from './connector.ts';
import { connectorsById } from './connectors.store.ts';
import { removeSecret } from './remove-secret.ts';
import { renewForBinding } from './renew-for-binding.ts';
import { storeSecret } from './store-secret.ts';

/** Puts another secret in the place of a binding's. `expectedVersion` is the one that it replaces. */
export async function rotateBinding(
  room: Room,
  caller: Caller,
  input: { bindingId: Uuid | undefined; secret: readonly SecretField[]; expectedVersion: number },
): Promise<Outcome<Binding, BindingRefusal>> {
  const claimed = await onBinding(room, caller, input.bindingId, async (tx, binding) => {
    if (binding.state === 'REVOKED')
      return refused({ code: 'BINDING_REVOKED', message: 'The binding is revoked.', field: 'bindingId' });
    if (binding.secretVersion !== input.expectedVersion || binding.state === 'PENDING')
      return refused({
        code: 'VERSION_CONFLICT',
        message: `The secret is at version ${binding.secretVersion}.`,
        field: 'expectedVersion',
      });
    const [connector] = await connectorsById(tx, [binding.connectorId]);
    const fault = secretFault(connector!.secretFields, input.secret);
    if (fault) return refused(fault);
    return (await claimWrite(tx, binding.id))
      ? done(binding)
      : refused({
          code: 'VERSION_CONFLICT',
          message: 'Somebody is writing this secret now.',
          field: 'expectedVersion',
        });
  });
  return claimed.ok
    ? storeSecret(room, callerScope(caller, 'connector:manage'), {
        binding: claimed.value,
        secret: input.secret,
      })
    : claimed;
}

/** Ends a binding for good: nobody can use it once this is committed, and then its secret is removed. Asking for it again changes nothing. */
export async function revokeBinding(
  room: Room,
  caller: Caller,
  bindingId: Uuid | undefined,
): Promise<Outcome<Binding, BindingRefusal>> {
  const revoked = await onBinding(room, caller, bindingId, async (tx, binding) => {
    if (binding.state === 'REVOKED') return done(binding);
    const now = await markRevoked(tx, binding.id);
    if (binding.state !== 'PENDING') await renewForBinding(tx, now);
    return done(now);
  });
  if (revoked.ok) await removeSecret(room, revoked.value);
  return revoked;
}

async function onBinding(
  { db }: Room,
  caller: Caller,
  id: Uuid | undefined,
  work: (tx: Tx, binding: Binding) => Promise<Outcome<Binding, BindingRefusal>>,
): Promise<Outcome<Binding, BindingRefusal>> {
  const outcome = await db.transaction(callerScope(caller, 'connector:manage'), async (tx) => {
    const binding = id && (await lockBinding(tx, id));
    return binding ? work(tx, binding) : undefined;
  });
  if (outcome) return outcome;
  if (id)
    await forbidInsiders(db, caller, {
      needs: 'connector:manage',
      sees: 'instance:read',
      find: async (tx) => (await bindingsById(tx, [id]))[0],
    });
  return refused({ code: 'BINDING_NOT_FOUND', message: 'There is no such binding.', field: 'bindingId' });
}
