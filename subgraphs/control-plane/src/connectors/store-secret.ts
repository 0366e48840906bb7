import type { Scope } from '@agentstore/kernel/access';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import {
  SecretConflict,
  SecretStoreUnavailable,
  type SecretWriter,
} from '@agentstore/kernel/vault/secret-store';
import type { Room } from '../deps.ts';
import { noteStored, releaseWrite } from './bindings.store.ts';
import type { Binding, BindingRefusal, SecretField } from './connector.ts';
import { refOf, removeSecret } from './remove-secret.ts';
import { renewForBinding } from './renew-for-binding.ts';

/** Writers that died after their write and before they noted it, one after the other. */
const mostUnnoted = 5;

/**
 * Writes a secret for a binding whose writing was claimed, and notes its version. When the store cannot be reached nothing is lost: the binding stays
 * as it was and the command can be repeated. One that was revoked meanwhile is left without a secret.
 */
export async function storeSecret(
  room: Room,
  scope: Scope,
  { binding, secret }: { binding: Binding; secret: readonly SecretField[] },
): Promise<Outcome<Binding, BindingRefusal>> {
  const { db, secrets } = room;
  let version: number;
  try {
    version = await writeNext(secrets, binding, secret);
  } catch (error) {
    await db.transaction(scope, (tx) => releaseWrite(tx, binding.id));
    if (!(error instanceof SecretStoreUnavailable)) throw error;
    return refused({
      code: 'SECRET_STORE_UNAVAILABLE',
      message: 'The secret store cannot be reached now. Nothing was stored; try again.',
    });
  }
  const stored = await db.transaction(scope, async (tx) => {
    const noted = await noteStored(tx, binding.id, version);
    if (!noted) await releaseWrite(tx, binding.id);
    else if (binding.state === 'PENDING') await renewForBinding(tx, noted);
    return noted;
  });
  if (stored) return done(stored);
  await removeSecret(room, binding);
  return refused({
    code: 'BINDING_REVOKED',
    message: 'The binding was revoked meanwhile.',
    field: 'bindingId',
  });
}

/** Only the holder of the claim writes, so a version that is there already was written by one that died before it could note it. */
async function writeNext(
  secrets: SecretWriter,
  binding: Binding,
  secret: readonly SecretField[],
): Promise<number> {
  const fields = Object.fromEntries(secret.map(({ name, value }) => [name, value]));
  for (let unnoted = 0; ; unnoted++)
    try {
      return await secrets.write(refOf(binding), fields, binding.secretVersion + unnoted);
    } catch (error) {
      if (!(error instanceof SecretConflict) || unnoted === mostUnnoted) throw error;
    }
}
