import { done, field, withData, type Answer, type Endpoint, type Exchange } from './exchange.ts';
import { isReadable, newSecret, time, versionAsked, versionFacts } from './kv-secret.ts';
import type { KvMount, KvSecret, KvVersion } from './state.ts';
import { invalid } from './vault-error.ts';

/** What a mount keeps of a secret when neither it nor the secret says. */
const defaultMaxVersions = 10;

/** `data/<key>`. */
export function dataEndpoint(mount: KvMount, key: string, exchange: Exchange): Endpoint {
  const secret = mount.secrets.get(key);
  return {
    exists: secret !== undefined,
    read() {
      const { facts, version } = versionAsked(secret, exchange);
      return isReadable(version)
        ? withData({ data: version.data, metadata: facts })
        : withData({ data: null, metadata: facts }, 404);
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

/** `subkeys/<key>`. */
export function subkeys(secret: KvSecret | undefined, exchange: Exchange): Answer {
  const { facts, version } = versionAsked(secret, exchange);
  if (!isReadable(version)) return withData({ metadata: facts, subkeys: null }, 404);
  const depth = Number(exchange.query.get('depth') ?? 0);
  return withData({ metadata: facts, subkeys: namesIn(version.data ?? {}, depth || Infinity) });
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
