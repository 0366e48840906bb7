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
import type { KvMount, KvSecret, KvVersion } from './state.ts';
import { invalid, notFound } from './vault-error.ts';

/** What a mount keeps of a secret when neither it nor the secret says. */
const defaultMaxVersions = 10;

/** Vault's times have nanoseconds; ours are of milliseconds, in the same form. */
const time = (now: number): string => new Date(now).toISOString();

/** KV v2 at one path below its mount; undefined when there is no such endpoint. */
export function kvEndpoint(mount: KvMount, path: string, exchange: Exchange): Endpoint {
  const slash = path.indexOf('/');
  const kind = slash < 0 ? path : path.slice(0, slash);
  const key = slash < 0 ? '' : path.slice(slash + 1);
  if (path === 'config') return config(mount, exchange);
  if (kind === 'metadata') return metadata(mount, key, exchange);
  if (key === '') return invalidPath;
  const secret = mount.secrets.get(key);
  switch (kind) {
    case 'data':
      return data(mount, key, exchange);
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

function data(mount: KvMount, key: string, exchange: Exchange): Endpoint {
  const secret = mount.secrets.get(key);
  return {
    exists: secret !== undefined,
    read() {
      const { number, version } = versionAsked(secret, exchange);
      const facts = { metadata: versionFacts(secret!, number, version) };
      return isReadable(version)
        ? withData({ data: version.data, ...facts })
        : withData({ data: null, ...facts }, 404);
    },
    write: () => write(mount, key, exchange, field.record(exchange.body, 'data')),
    patch() {
      const patch = field.record(exchange.body, 'data');
      if (!patch) throw invalid('no data provided');
      const current = secret?.versions.get(secret.currentVersion);
      if (!secret || !current) return { status: 404 };
      requireCas(mount, secret, exchange);
      if (!isReadable(current)) return withData(versionFacts(secret, secret.currentVersion, current), 404);
      return write(mount, key, exchange, mergePatch(current.data, patch) as Record<string, unknown>);
    },
    delete() {
      const current = secret?.versions.get(secret.currentVersion);
      if (current) current.deletionTime ||= time(exchange.now);
      return done;
    },
  };
}

/** Throws when the caller does not know the state that the write would replace. */
function requireCas(mount: KvMount, secret: KvSecret | undefined, { body }: Exchange): void {
  const cas = field.record(body, 'options')?.['cas'];
  if (cas === undefined) {
    if (mount.casRequired || secret?.casRequired)
      throw invalid('check-and-set parameter required for this call');
    return;
  }
  const number = typeof cas === 'string' && /^\d+$/.test(cas) ? Number(cas) : cas;
  if (!Number.isSafeInteger(number)) throw invalid('error parsing check-and-set parameter');
  if (number !== (secret?.currentVersion ?? 0))
    throw invalid('check-and-set parameter did not match the current version');
}

function write(
  mount: KvMount,
  key: string,
  exchange: Exchange,
  values: Readonly<Record<string, unknown>> | undefined,
): Answer {
  if (!values) throw invalid('no data provided');
  requireCas(mount, mount.secrets.get(key), exchange);
  const now = time(exchange.now);
  const secret = mount.secrets.get(key) ?? newSecret(now);
  mount.secrets.set(key, secret);
  const version: KvVersion = { createdTime: now, deletionTime: '', destroyed: false, data: values };
  secret.currentVersion += 1;
  secret.updatedTime = now;
  secret.versions.set(secret.currentVersion, version);
  const kept = Math.max(mount.maxVersions, secret.maxVersions) || defaultMaxVersions;
  if (secret.versions.size > kept) {
    secret.oldestVersion = secret.currentVersion - kept + 1;
    for (const number of secret.versions.keys())
      if (number < secret.oldestVersion) secret.versions.delete(number);
  }
  return withData(versionFacts(secret, secret.currentVersion, version));
}

const newSecret = (now: string): KvSecret => ({
  createdTime: now,
  updatedTime: now,
  currentVersion: 0,
  oldestVersion: 0,
  maxVersions: 0,
  casRequired: false,
  customMetadata: null,
  versions: new Map(),
});

const isReadable = (version: KvVersion): boolean => version.deletionTime === '' && !version.destroyed;

const versionFacts = (secret: KvSecret, number: number, version: KvVersion): object => ({
  created_time: version.createdTime,
  custom_metadata: secret.customMetadata,
  deletion_time: version.deletionTime,
  destroyed: version.destroyed,
  version: number,
});

function versionAsked(
  secret: KvSecret | undefined,
  { query }: Exchange,
): { number: number; version: KvVersion } {
  const asked = Number(query.get('version') ?? 0);
  if (!Number.isSafeInteger(asked))
    throw invalid('Field validation failed: error converting input for field "version": cannot parse as int');
  const number = asked > 0 ? asked : (secret?.currentVersion ?? 0);
  const version = secret?.versions.get(number);
  if (!version) throw notFound();
  return { number, version };
}

/** RFC 7396. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged = new Map(
    typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  );
  for (const [name, value] of Object.entries(patch))
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  return Object.fromEntries(merged);
}

function subkeys(secret: KvSecret | undefined, exchange: Exchange): Answer {
  const { number, version } = versionAsked(secret, exchange);
  const facts = { metadata: versionFacts(secret!, number, version) };
  if (!isReadable(version)) return withData({ ...facts, subkeys: null }, 404);
  const depth = Number(exchange.query.get('depth') ?? 0);
  return withData({ ...facts, subkeys: namesIn(version.data ?? {}, depth || Infinity) });
}

/** The names of a tree without its values: what is no map, is an empty one, or lies deeper, is null. */
const namesIn = (tree: object, depth: number): object =>
  Object.fromEntries(
    Object.entries(tree).map(([name, value]: [string, unknown]) => [
      name,
      depth > 1 &&
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length
        ? namesIn(value, depth - 1)
        : null,
    ]),
  );

function onVersions(
  secret: KvSecret | undefined,
  { body }: Exchange,
  { no, work }: { no: 'No' | 'no'; work: (version: KvVersion) => void },
): Answer {
  const named = body['versions'];
  const numbers = (Array.isArray(named) ? named : String(named ?? '').split(',')).map(Number).filter(Boolean);
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

function metadata(mount: KvMount, key: string, { body, now }: Exchange): Endpoint {
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
