import { systemScope } from '@agentstore/kernel/access';
import type { SecretRef } from '@agentstore/kernel/vault/secret-store';
import type { Room } from '../deps.ts';
import { markRemoved } from './bindings.store.ts';
import type { Binding } from './connector.ts';

/** Where a binding's secret lies. */
export const refOf = (binding: Binding): SecretRef => ({
  organizationId: binding.organizationId,
  projectId: binding.projectId,
  bindingId: binding.id,
});

/** Takes a revoked binding's secret out of the store, for good. What fails here is done by the sweep. */
export async function removeSecret(room: Room, binding: Binding): Promise<void> {
  try {
    await room.secrets.remove(refOf(binding));
    await room.db.transaction(systemScope('remove-secret'), (tx) => markRemoved(tx, binding.id));
  } catch (error) {
    room.log.warn({ err: error, bindingId: binding.id }, 'the secret of a revoked binding is removed later');
  }
}
