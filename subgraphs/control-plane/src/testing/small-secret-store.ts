import {
  SecretConflict,
  SecretStoreUnavailable,
  type SecretRef,
  type SecretWriter,
} from '@agentstore/kernel/vault/secret-store';

/** A secret store in memory with Vault's manners: a write names the version it replaces, and what is removed leaves nothing. */
export function createSmallSecretStore() {
  const stored = new Map<string, { version: number; fields: Readonly<Record<string, string>> }>();
  const store = {
    /** While true, it cannot be reached. */
    down: false,
    /** What happens before the next write lands, once. */
    beforeWrite: undefined as (() => Promise<void>) | undefined,
    /** What happens after the next write has landed, once. */
    afterWrite: undefined as (() => Promise<void>) | undefined,
    of: (bindingId: string) => [...stored].find(([path]) => path.endsWith(`/${bindingId}`))?.[1],
    /** Where it lies, under connectors/. */
    pathOf: (bindingId: string) => [...stored.keys()].find((path) => path.endsWith(`/${bindingId}`)),
    async write(ref, fields, version) {
      await once('beforeWrite');
      if (store.down) throw new SecretStoreUnavailable('sealed');
      const path = pathOf(ref);
      if ((stored.get(path)?.version ?? 0) !== version) throw new SecretConflict('another version');
      stored.set(path, { version: version + 1, fields });
      await once('afterWrite');
      return version + 1;
    },
    async remove(ref) {
      if (store.down) throw new SecretStoreUnavailable('sealed');
      stored.delete(pathOf(ref));
    },
    close: async () => undefined,
  } satisfies SecretWriter & Record<string, unknown>;
  async function once(hook: 'beforeWrite' | 'afterWrite'): Promise<void> {
    const happens = store[hook];
    store[hook] = undefined;
    await happens?.();
  }
  return store;
}

const pathOf = ({ organizationId, projectId, bindingId }: SecretRef): string =>
  `${organizationId}/${projectId}/${bindingId}`;
