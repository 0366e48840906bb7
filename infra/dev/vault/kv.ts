import {
  done,
  field,
  requireOffered,
  withData,
  withWarning,
  type Answer,
  type Endpoint,
  type Exchange,
} from './exchange.ts';
import { dataEndpoint, subkeys } from './kv-data.ts';
import { metadataEndpoint } from './kv-metadata.ts';
import { time } from './kv-secret.ts';
import type { KvMount, KvSecret, KvVersion } from './state.ts';
import { invalid } from './vault-error.ts';

/** KV v2 at one path below its mount. */
export function kvEndpoint(mount: KvMount, path: string, exchange: Exchange): Endpoint {
  const slash = path.indexOf('/');
  const kind = slash < 0 ? path : path.slice(0, slash);
  const key = slash < 0 ? '' : path.slice(slash + 1);
  if (path === 'config') return config(mount, exchange);
  if (kind === 'metadata') return metadataEndpoint(mount, key, exchange);
  if (key === '') return invalidPath;
  const secret = mount.secrets.get(key);
  switch (kind) {
    case 'data':
      return dataEndpoint(mount, key, exchange);
    case 'subkeys':
      return { read: () => subkeys(secret, exchange) };
    case 'delete':
      return {
        write: () =>
          onVersions(secret, exchange, {
            no: 'No',
            work: (version) => (version.deletionTime ||= time(exchange.now)),
          }),
      };
    case 'undelete':
      return {
        write: () =>
          onVersions(secret, exchange, { no: 'No', work: (version) => (version.deletionTime = '') }),
      };
    case 'destroy':
      return { write: () => onVersions(secret, exchange, { no: 'no', work: destroy }) };
    default:
      return invalidPath;
  }
}

const invalidPath: Endpoint = {
  read: () =>
    withWarning(
      404,
      "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation.",
    ),
};

const config = (mount: KvMount, { body }: Exchange): Endpoint => ({
  read: () =>
    withData({
      cas_required: mount.casRequired,
      delete_version_after: '0s',
      max_versions: mount.maxVersions,
    }),
  write() {
    requireOffered(body, ['cas_required', 'max_versions']);
    mount.casRequired = field.flag(body, 'cas_required') ?? mount.casRequired;
    mount.maxVersions = field.count(body, 'max_versions') ?? mount.maxVersions;
    return done;
  },
});

function onVersions(
  secret: KvSecret | undefined,
  { body }: Exchange,
  { no, work }: { no: 'No' | 'no'; work: (version: KvVersion) => void },
): Answer {
  const named = body['versions'];
  const numbers = Array.isArray(named) ? named.map(Number).filter(Boolean) : [];
  if (numbers.length === 0) throw invalid(`${no} version number provided`);
  for (const number of numbers) {
    const version = secret?.versions.get(number);
    if (version && !version.destroyed) work(version);
  }
  return done;
}

const destroy = (version: KvVersion): void => {
  version.destroyed = true;
  version.data = undefined;
};
