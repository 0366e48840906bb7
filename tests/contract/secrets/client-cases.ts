import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import {
  SecretConflict,
  SecretDenied,
  SecretMissing,
  SecretStoreUnavailable,
  type SecretReader,
  type SecretWriter,
} from '@agentstore/kernel/vault/secret-store';
import {
  createTenantSessions,
  readerLogin,
  writerLogin,
  type VaultLogin,
} from '@agentstore/kernel/vault/tenant-sessions';
import { createVaultCalls } from '@agentstore/kernel/vault/vault-calls';
import { createVaultReader, createVaultWriter } from '@agentstore/kernel/vault/vault-secrets';

/** A running Vault, set up by infra/vault for two processes whose private ES256 keys these are. */
export interface VaultUnderTest {
  readonly url: string;
  readonly writerKey: JWK;
  readonly readerKey: JWK;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Logins so far, where it can tell. */
  loginCount?(): Promise<number>;
}

/** What the control plane's writer and the tool gateway's reader do together on a Vault, and what the store itself refuses them. */
export function clientCases(open: () => Promise<VaultUnderTest>): void {
  describe('the clients of the secret store', () => {
    let vault: VaultUnderTest;
    let reader: SecretReader;
    let writer: SecretWriter;
    const refOf = () => ({ organizationId: uuidv7(), projectId: uuidv7(), bindingId: uuidv7() });
    const pathOf = (ref: ReturnType<typeof refOf>): string =>
      `connectors/${ref.organizationId}/${ref.projectId}/${ref.bindingId}`;
    const read = async (ref: ReturnType<typeof refOf>) => {
      const { version, fields } = await reader.read(ref);
      return { version, fields: Object.fromEntries([...fields].map(([name, at]) => [name, at.toString()])) };
    };

    beforeAll(async () => {
      vault = await open();
      const options = { origin: vault.url, deadlineMs: 5_000 };
      reader = await createVaultReader({ ...options, key: vault.readerKey });
      writer = await createVaultWriter({ ...options, key: vault.writerKey });
    });
    afterAll(async () => void (await Promise.all([reader?.close(), writer?.close()])));

    /** Asks the store with the token of a tenant for whatever path a case likes, which the reader and the writer never do. */
    async function withTokenOf<T>(
      tenant: ReturnType<typeof refOf>,
      as: VaultLogin,
      ask: (
        calls: ReturnType<typeof createVaultCalls>,
        call: { token: string; signal: AbortSignal },
      ) => Promise<T>,
    ): Promise<T> {
      const calls = createVaultCalls(vault.url, 5_000);
      const signal = AbortSignal.timeout(10_000);
      try {
        const key = as === readerLogin ? vault.readerKey : vault.writerKey;
        const sessions = await createTenantSessions(calls, as, key);
        return await sessions.as(tenant, signal, (token) => ask(calls, { token, signal }));
      } finally {
        await calls.close();
      }
    }

    it('reads what was written, bytes and version', async () => {
      const ref = refOf();
      const fields = { apiKey: 'sk-ä€😀"\\\n', user: '' };
      expect(await writer.write(ref, fields, 0)).toBe(1);
      expect(await read(ref)).toEqual({ version: 1, fields });
    });

    it('replaces the version it knows, and no other', async () => {
      const ref = refOf();
      await writer.write(ref, { apiKey: 'one' }, 0);
      await expect(writer.write(ref, { apiKey: 'again' }, 0)).rejects.toBeInstanceOf(SecretConflict);
      expect(await writer.write(ref, { apiKey: 'two' }, 1)).toBe(2);
      await expect(writer.write(ref, { apiKey: 'late' }, 1)).rejects.toBeInstanceOf(SecretConflict);
      expect(await read(ref)).toEqual({ version: 2, fields: { apiKey: 'two' } });
    });

    it('of two who write at once, one wins', async () => {
      const ref = refOf();
      const written = await Promise.allSettled(['a', 'b'].map((apiKey) => writer.write(ref, { apiKey }, 0)));
      expect(written.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(written.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: expect.any(SecretConflict) as Error,
      });
    });

    it('finds nothing of what was removed or never was', async () => {
      const ref = refOf();
      await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretMissing);
      await writer.write(ref, { apiKey: 'one' }, 0);
      await writer.remove(ref);
      await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretMissing);
      await writer.remove(ref);
      expect(await writer.write(ref, { apiKey: 'anew' }, 0)).toBe(1);
    });

    it("refuses one tenant's token every path of another", async () => {
      const [mine, theirs] = [refOf(), refOf()];
      const neighbour = { ...mine, projectId: uuidv7() };
      for (const ref of [mine, theirs, neighbour]) await writer.write(ref, { apiKey: 'theirs' }, 0);
      for (const other of [theirs, neighbour]) {
        const stolen = withTokenOf(mine, readerLogin, (calls, call) =>
          calls.readData(`kv/data/${pathOf(other)}`, call),
        );
        await expect(stolen).rejects.toBeInstanceOf(SecretDenied);
        const overwritten = withTokenOf(mine, writerLogin, (calls, call) =>
          calls.writeData(`kv/data/${pathOf(other)}`, { apiKey: 'mine' }, 1, call),
        );
        await expect(overwritten).rejects.toBeInstanceOf(SecretDenied);
        const removed = withTokenOf(mine, writerLogin, (calls, call) =>
          calls.removeAll(`kv/metadata/${pathOf(other)}`, call),
        );
        await expect(removed).rejects.toBeInstanceOf(SecretDenied);
        expect(await read(other)).toEqual({ version: 1, fields: { apiKey: 'theirs' } });
      }
      const own = await withTokenOf(mine, readerLogin, (calls, call) =>
        calls.readData(`kv/data/${pathOf(mine)}`, call),
      );
      expect(own.version).toBe(1);
    });

    it('lets the reader write or remove nothing, and the writer read nothing', async () => {
      const ref = refOf();
      await writer.write(ref, { apiKey: 'one' }, 0);
      const [data, metadata] = [`kv/data/${pathOf(ref)}`, `kv/metadata/${pathOf(ref)}`];
      await expect(
        withTokenOf(ref, readerLogin, (calls, call) => calls.writeData(data, { apiKey: 'two' }, 1, call)),
      ).rejects.toBeInstanceOf(SecretDenied);
      await expect(
        withTokenOf(ref, readerLogin, (calls, call) => calls.removeAll(metadata, call)),
      ).rejects.toBeInstanceOf(SecretDenied);
      await expect(
        withTokenOf(ref, writerLogin, (calls, call) => calls.readData(data, call)),
      ).rejects.toBeInstanceOf(SecretDenied);
      expect(await read(ref)).toEqual({ version: 1, fields: { apiKey: 'one' } });
    });

    it('lets neither process log in with the key of the other', async () => {
      const ref = refOf();
      const posing = await createVaultReader({ origin: vault.url, key: vault.writerKey, deadlineMs: 5_000 });
      await expect(posing.read(ref)).rejects.toBeInstanceOf(SecretDenied);
      await posing.close();
    });

    it('logs in once for 50 who read at once', async ({ skip }) => {
      if (!vault.loginCount) return skip('this Vault does not count logins');
      const ref = refOf();
      await writer.write(ref, { apiKey: 'one' }, 0);
      const before = await vault.loginCount();
      await Promise.all(Array.from({ length: 50 }, () => reader.read(ref)));
      expect(await vault.loginCount()).toBe(before + 1);
    });

    it('reads nothing while the store is sealed, says so, and goes on afterwards', async () => {
      const ref = refOf();
      await writer.write(ref, { apiKey: 'one' }, 0);
      await reader.ready();
      await vault.seal();
      try {
        await expect(reader.read(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
        await expect(writer.write(ref, { apiKey: 'two' }, 1)).rejects.toBeInstanceOf(SecretStoreUnavailable);
        await expect(writer.remove(ref)).rejects.toBeInstanceOf(SecretStoreUnavailable);
        await expect(reader.ready()).rejects.toThrow('the secret store is sealed');
      } finally {
        await vault.unseal();
      }
      await reader.ready();
      expect(await read(ref)).toEqual({ version: 1, fields: { apiKey: 'one' } });
    });
  });
}
