import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gone, refused, somewhere, type VaultCaller, type VaultUnderTest } from './vault-caller.ts';

/** KV v2: every write says which version it replaces. */
export function kvCases(vault: VaultCaller, subject: () => VaultUnderTest): void {
  const { asRoot, patch, write } = vault;

  describe('secrets', () => {
    it('are written against the version they replace, and read with it', async () => {
      const { data } = somewhere();
      expect(await write(data, 0, { key: 'one' })).toMatchObject({
        status: 200,
        body: {
          request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
          lease_id: '',
          renewable: false,
          data: { version: 1, deletion_time: '', destroyed: false, custom_metadata: null },
          wrap_info: null,
          warnings: null,
          auth: null,
        },
      });
      expect(await write(data, 1, { key: 'two' })).toMatchObject({
        status: 200,
        body: { data: { version: 2 } },
      });
      expect(await asRoot('GET', data)).toMatchObject({
        status: 200,
        body: { data: { data: { key: 'two' }, metadata: { version: 2, destroyed: false } } },
      });
      expect(await asRoot('GET', `${data}?version=1`)).toMatchObject({
        status: 200,
        body: { data: { data: { key: 'one' }, metadata: { version: 1 } } },
      });
      expect(await asRoot('GET', `${data}?version=3`)).toEqual(gone);
    });

    it('refuse a write that does not know what it replaces', async () => {
      const { data } = somewhere();
      await write(data, 0, { key: 'one' });
      const mismatch = refused(400, 'check-and-set parameter did not match the current version');
      const missing = refused(400, 'check-and-set parameter required for this call');
      expect(await write(data, 0, { key: 'two' })).toEqual(mismatch);
      expect(await write(data, 2, { key: 'two' })).toEqual(mismatch);
      expect(await asRoot('POST', data, { data: { key: 'two' } })).toEqual(missing);
      expect(await patch(data, { data: { key: 'two' } })).toEqual(missing);
      expect(await asRoot('POST', data, { options: { cas: 1 } })).toEqual(refused(400, 'no data provided'));
      expect(await asRoot('POST', data, { options: { cas: 'one' }, data: {} })).toEqual(
        refused(400, 'error parsing check-and-set parameter'),
      );
      expect(await asRoot('GET', data)).toMatchObject({ body: { data: { data: { key: 'one' } } } });
    });

    it('have one winner among writers at once', async () => {
      const { data } = somewhere();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => write(data, 0, { key: `writer ${at}` })),
      );
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
        200,
        ...Array.from({ length: 7 }, () => 400),
      ]);
      expect(await asRoot('GET', data)).toMatchObject({ body: { data: { metadata: { version: 1 } } } });
    });

    it('take a merge patch, and tell their names without their values', async () => {
      const { path, data } = somewhere();
      await write(data, 0, { keep: 'a', drop: 'b', deep: { inner: 'c', empty: {} } });
      expect(await patch(data, { options: { cas: 1 }, data: { drop: null, more: 'd' } })).toMatchObject({
        status: 200,
        body: { data: { version: 2 } },
      });
      expect(await asRoot('GET', data)).toMatchObject({
        body: { data: { data: { keep: 'a', more: 'd', deep: { inner: 'c' } } } },
      });
      const named = await asRoot('GET', `kv/subkeys/${path}`);
      expect(named).toMatchObject({
        status: 200,
        body: {
          data: {
            subkeys: { keep: null, more: null, deep: { inner: null, empty: null } },
            metadata: { version: 2 },
          },
        },
      });
      expect(await asRoot('GET', `kv/subkeys/${path}?depth=1`)).toMatchObject({
        body: { data: { subkeys: { keep: null, more: null, deep: null } } },
      });
      expect(await asRoot('PATCH', data, { options: { cas: 2 }, data: {} })).toMatchObject({ status: 415 });
      expect(await patch(somewhere().data, { options: { cas: 0 }, data: {} })).toEqual({
        status: 404,
        body: undefined,
      });
    });

    it('can be deleted and brought back', async () => {
      const { path, data } = somewhere();
      await write(data, 0, { key: 'one' });
      expect(await asRoot('DELETE', data)).toEqual({ status: 204, body: undefined });
      const deleted = {
        status: 404,
        body: {
          data: {
            data: null,
            metadata: {
              version: 1,
              destroyed: false,
              deletion_time: expect.stringMatching(/^20.+Z$/) as string,
            },
          },
        },
      };
      expect(await asRoot('GET', data)).toMatchObject(deleted);
      expect(await asRoot('POST', `kv/undelete/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
      expect(await asRoot('GET', data)).toMatchObject({
        status: 200,
        body: { data: { data: { key: 'one' } } },
      });
      expect(await asRoot('POST', `kv/delete/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
      expect(await asRoot('GET', data)).toMatchObject(deleted);
      expect(await asRoot('POST', `kv/delete/${path}`, {})).toEqual(
        refused(400, 'No version number provided'),
      );
    });

    it('can be destroyed for good, their facts staying', async () => {
      const { path, data } = somewhere();
      await write(data, 0, { key: 'one' });
      await write(data, 1, { key: 'two' });
      expect(await asRoot('PUT', `kv/destroy/${path}`, { versions: [1] })).toMatchObject({ status: 204 });
      await asRoot('POST', `kv/undelete/${path}`, { versions: [1] });
      await asRoot('POST', `kv/delete/${path}`, { versions: [1] });
      expect(await asRoot('GET', `${data}?version=1`)).toMatchObject({
        status: 404,
        body: { data: { data: null, metadata: { version: 1, destroyed: true, deletion_time: '' } } },
      });
      expect(await asRoot('GET', data)).toMatchObject({
        status: 200,
        body: { data: { data: { key: 'two' } } },
      });
    });

    it('keep the last five versions', async () => {
      const { data, metadata } = somewhere();
      for (let version = 0; version < 7; version += 1) await write(data, version, { version });
      const facts = await asRoot('GET', metadata);
      expect(facts).toMatchObject({
        status: 200,
        body: { data: { current_version: 7, oldest_version: 3, max_versions: 0, custom_metadata: null } },
      });
      expect(Object.keys((facts.body as { data: { versions: object } }).data.versions)).toEqual([
        '3',
        '4',
        '5',
        '6',
        '7',
      ]);
      expect(await asRoot('GET', `${data}?version=2`)).toEqual(gone);
    });

    it('carry facts of the caller, and are listed by folder', async () => {
      const { org, project, path, data, metadata } = somewhere();
      await write(data, 0, { key: 'one' });
      expect(await asRoot('POST', metadata, { custom_metadata: { provider: 'orders' } })).toMatchObject({
        status: 204,
      });
      expect(await asRoot('GET', data)).toMatchObject({
        body: { data: { metadata: { custom_metadata: { provider: 'orders' } } } },
      });
      expect(await asRoot('GET', `kv/metadata/connectors/${org}?list=true`)).toMatchObject({
        status: 200,
        body: { data: { keys: [`${project}/`] } },
      });
      expect(await asRoot('GET', `kv/metadata/connectors/${org}/${project}?list=true`)).toMatchObject({
        body: { data: { keys: [path.split('/').at(-1)] } },
      });
      expect(await asRoot('GET', `kv/metadata/connectors/${randomUUID()}?list=true`)).toEqual(gone);
    });

    it('are gone with everything when their metadata are deleted, and may begin anew', async () => {
      const { data, metadata } = somewhere();
      await write(data, 0, { key: 'one' });
      await write(data, 1, { key: 'two' });
      expect(await asRoot('DELETE', metadata)).toEqual({ status: 204, body: undefined });
      expect(await asRoot('GET', data)).toEqual(gone);
      expect(await asRoot('GET', metadata)).toEqual(gone);
      expect(await asRoot('DELETE', metadata)).toEqual({ status: 204, body: undefined });
      expect(await write(data, 0, { key: 'new' })).toMatchObject({ body: { data: { version: 1 } } });
    });

    it('answer a request that is none in the words of Vault', async () => {
      const { path, data } = somewhere();
      const token = subject().rootToken;
      const broken = await fetch(`${subject().url}/v1/${data}`, {
        method: 'POST',
        headers: { 'x-vault-token': token },
        body: '{broken',
      });
      expect([broken.status, await broken.json()]).toEqual([400, { errors: ['error parsing JSON'] }]);
      expect(await asRoot('GET', 'nowhere/at/all')).toEqual(
        refused(404, 'no handler for route "nowhere/at/all". route entry not found.'),
      );
      expect(await asRoot('GET', `kv/destroy/${path}`)).toEqual(
        refused(405, '1 error occurred:\n\t* unsupported operation\n\n'),
      );
      expect(await asRoot('POST', `${data}/`, {})).toEqual(
        refused(400, "cannot write to a path ending in '/'"),
      );
    });
  });
}
