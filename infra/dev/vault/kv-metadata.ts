import { done, field, requireOffered, withData, type Endpoint, type Exchange } from './exchange.ts';
import { newSecret, time } from './kv-secret.ts';
import type { KvMount } from './state.ts';
import { invalid, notFound } from './vault-error.ts';

/** `metadata/<key>`, and what lies below it. */
export function metadataEndpoint(mount: KvMount, key: string, { body, now }: Exchange): Endpoint {
  const secret = mount.secrets.get(key);
  return {
    exists: secret !== undefined,
    read() {
      if (!secret) throw notFound();
      return withData({
        cas_required: secret.casRequired,
        created_time: secret.createdTime,
        current_version: secret.currentVersion,
        custom_metadata: secret.customMetadata,
        delete_version_after: '0s',
        max_versions: secret.maxVersions,
        oldest_version: secret.oldestVersion,
        updated_time: secret.updatedTime,
        versions: Object.fromEntries(
          [...secret.versions].map(([number, { createdTime, deletionTime, destroyed }]) => [
            number,
            { created_time: createdTime, deletion_time: deletionTime, destroyed },
          ]),
        ),
      });
    },
    list() {
      const folder = key === '' ? '' : `${key}/`;
      const names = [...mount.secrets.keys()]
        .filter((one) => one.startsWith(folder))
        .map((one) => one.slice(folder.length).replace(/\/.*/s, '/'));
      if (names.length === 0) throw notFound();
      return withData({ keys: [...new Set(names)].sort() });
    },
    write() {
      if (key === '') throw invalid('missing path');
      requireOffered(body, ['cas_required', 'max_versions', 'custom_metadata']);
      const custom = field.textRecord(body, 'custom_metadata');
      requireCustomMetadata(custom ?? {});
      if (Object.keys(body).length === 0) return done;
      const changed = secret ?? newSecret(time(now));
      changed.casRequired = field.flag(body, 'cas_required') ?? changed.casRequired;
      changed.maxVersions = field.count(body, 'max_versions') ?? changed.maxVersions;
      changed.customMetadata = custom ?? changed.customMetadata;
      mount.secrets.set(key, changed);
      return done;
    },
    delete() {
      mount.secrets.delete(key);
      return done;
    },
  };
}

/** Vault's bounds: 64 keys of 1 to 128 characters with values of 1 to 512. */
function requireCustomMetadata(custom: Readonly<Record<string, string>>): void {
  const fault = (text: string) => invalid(`custom_metadata validation failed: ${text}`);
  const entries = Object.entries(custom);
  if (entries.length > 64) throw fault('payload must contain at most 64 keys');
  for (const [key, value] of entries) {
    if (key.length === 0 || key.length > 128) throw fault(`length of key "${key}" is ${key.length}`);
    if (value.length === 0 || value.length > 512)
      throw fault(`length of value for key "${key}" is ${value.length} but must be 0 < len(value) <= 512`);
  }
}
