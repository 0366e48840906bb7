import type { JWK } from 'jose';
import { DeadlineError, withDeadline } from '../deadline.ts';
import { isUuid } from '../ids.ts';
import { secretOf } from './secret.ts';
import {
  SecretDenied,
  SecretMissing,
  SecretStoreUnavailable,
  type SecretReader,
  type SecretRef,
  type SecretWriter,
} from './secret-store.ts';
import { createTenantSessions, readerLogin, writerLogin } from './tenant-sessions.ts';
import { createVaultCalls } from './vault-calls.ts';

export interface VaultOptions {
  /** Origin of Vault, e.g. `https://vault.internal:8200`. */
  readonly origin: string;
  /** Private ES256 JWK with which this process logs in. */
  readonly key: JWK;
  /** Of one read, write or removal, with the login it may need; in milliseconds. */
  readonly deadlineMs: number;
}

/** Reads from Vault as the tool gateway. Throws for a key that is none; connects to nothing yet. */
export async function createVaultReader({ origin, key, deadlineMs }: VaultOptions): Promise<SecretReader> {
  const vault = createVaultCalls(origin, deadlineMs);
  const sessions = await createTenantSessions(vault, readerLogin, key);
  return {
    read: async (ref) => {
      const path = pathOf('data', ref);
      const { version, data } = await within(deadlineMs, (signal) =>
        sessions.as(ref, signal, (token) => vault.readData(path, { token, signal })),
      );
      return secretOf(version, data);
    },
    async ready() {
      const { initialized, sealed, standby } = await within(deadlineMs, (signal) => vault.health(signal));
      if (!initialized) throw new SecretStoreUnavailable('the secret store is not initialized');
      if (sealed) throw new SecretStoreUnavailable('the secret store is sealed');
      if (standby) throw new SecretStoreUnavailable('the secret store is a standby');
    },
    close: () => vault.close(),
  };
}

/** Writes to Vault as the control plane. Throws for a key that is none; connects to nothing yet. */
export async function createVaultWriter({ origin, key, deadlineMs }: VaultOptions): Promise<SecretWriter> {
  const vault = createVaultCalls(origin, deadlineMs);
  const sessions = await createTenantSessions(vault, writerLogin, key);
  return {
    write: async (ref, fields, version) => {
      const path = pathOf('data', ref);
      return within(deadlineMs, (signal) =>
        sessions.as(ref, signal, (token) => vault.writeData(path, fields, version, { token, signal })),
      );
    },
    remove: async (ref) => {
      const path = pathOf('metadata', ref);
      try {
        await within(deadlineMs, (signal) =>
          sessions.as(ref, signal, (token) => vault.removeAll(path, { token, signal })),
        );
      } catch (error) {
        if (!(error instanceof SecretMissing)) throw error;
      }
    },
    close: () => vault.close(),
  };
}

/** Nothing but UUIDs: a path separator, a dot or a wildcard in one would be somebody else's path. */
function pathOf(part: 'data' | 'metadata', { organizationId, projectId, bindingId }: SecretRef): string {
  if (![organizationId, projectId, bindingId].every(isUuid)) throw new SecretDenied('an id that is no UUID');
  return `kv/${part}/connectors/${organizationId}/${projectId}/${bindingId}`;
}

/** The work, ended and no longer waited for at its deadline (a request that still waits for a connection does not hear its signal). */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withDeadline(work(AbortSignal.timeout(ms)), ms, 'the secret store');
  } catch (error) {
    if (error instanceof DeadlineError) throw new SecretStoreUnavailable(error.message);
    throw error;
  }
}
