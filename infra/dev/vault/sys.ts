import { randomBytes, randomUUID } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import {
  done,
  field,
  requireOffered,
  withData,
  withDataTwice,
  type Answer,
  type Endpoint,
  type Exchange,
} from './exchange.ts';
import { parsePolicy } from './policy.ts';
import { defaultPolicy, type JwtMount, type KvMount, type VaultState } from './state.ts';
import { invalid, notFound, VaultError } from './vault-error.ts';

/** Vault's own words for its state; the version is the one whose wire this is. */
const version = '1.14.1';

const cluster = (barrier: Barrier): object => {
  if (barrier.isSealed()) return {};
  const { clusterId } = barrier.state();
  return { cluster_name: `vault-cluster-${clusterId.slice(0, 8)}`, cluster_id: clusterId };
};

const sealStatus = (barrier: Barrier): Answer => ({
  status: 200,
  body: {
    type: 'shamir',
    initialized: true,
    sealed: barrier.isSealed(),
    t: 1,
    n: 1,
    progress: 0,
    nonce: '',
    version,
    build_date: '',
    migration: false,
    ...cluster(barrier),
    recovery_seal: false,
  },
});

const health = (barrier: Barrier, { query, now }: Exchange): Answer => {
  const replication = barrier.isSealed() ? 'unknown' : 'disabled';
  const asked = Number(query.get(barrier.isSealed() ? 'sealedcode' : 'activecode'));
  return {
    status: asked >= 200 && asked < 600 ? asked : barrier.isSealed() ? 503 : 200,
    body: {
      initialized: true,
      sealed: barrier.isSealed(),
      standby: barrier.isSealed(),
      performance_standby: false,
      replication_performance_mode: replication,
      replication_dr_mode: replication,
      server_time_utc: Math.floor(now / 1_000),
      version,
      ...cluster(barrier),
    },
  };
};

function unseal(barrier: Barrier, { body }: Exchange): Answer {
  const key = field.text(body, 'key');
  if (!key) throw invalid("'key' must be specified in request body as JSON, or 'reset' set to true");
  if (barrier.isSealed() && !barrier.unseal(key))
    throw invalid(
      'unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed',
    );
  return sealStatus(barrier);
}

/** What anybody may ask, also of a sealed Vault; undefined when it is none of that. */
export function openToAll(barrier: Barrier, exchange: Exchange): Answer | undefined {
  const only = (methods: readonly string[], answer: () => Answer): Answer => {
    if (!methods.includes(exchange.method)) throw new VaultError(405);
    return answer();
  };
  switch (exchange.path) {
    case 'sys/health':
      return only(['GET', 'HEAD'], () => health(barrier, exchange));
    case 'sys/seal-status':
      return only(['GET'], () => sealStatus(barrier));
    case 'sys/init':
      return only(['GET'], () => ({ status: 200, body: { initialized: true } }));
    case 'sys/unseal':
      return only(['POST', 'PUT'], () => unseal(barrier, exchange));
    default:
      return undefined;
  }
}

/** `sys/…` for those whose token lets them. */
export function sysEndpoint(
  state: VaultState,
  barrier: Barrier,
  path: string,
  exchange: Exchange,
): Endpoint | undefined {
  if (path === 'seal')
    return {
      needsSudo: true,
      write() {
        barrier.seal();
        return done;
      },
    };
  const [kind, ...rest] = path.split('/');
  const name = rest.join('/');
  if (kind === 'mounts') return mounts(mountsOf.kv, state.secretMounts, name, exchange);
  if (kind === 'auth') return { ...mounts(mountsOf.jwt, state.authMounts, name, exchange), needsSudo: true };
  if (kind === 'policies' && rest[0] === 'acl') return policies(state, rest.slice(1).join('/'), exchange);
  return undefined;
}

interface MountKind<M> {
  readonly type: string;
  readonly what: string;
  readonly offered: readonly string[];
  make(common: { accessor: string; uuid: string; description: string }, body: Exchange['body']): M;
  readonly options: object;
}

const mountsOf: { kv: MountKind<KvMount>; jwt: MountKind<JwtMount> } = {
  kv: {
    type: 'kv',
    what: 'secret engine mount',
    offered: ['type', 'description', 'options'],
    options: { version: '2' },
    make(common, body) {
      if (field.record(body, 'options')?.['version'] !== '2')
        throw invalid('the dev Vault offers version 2 of kv only');
      return { ...common, maxVersions: 0, casRequired: false, secrets: new Map() };
    },
  },
  jwt: {
    type: 'jwt',
    what: 'auth engine',
    offered: ['type', 'description'],
    options: {},
    make: (common) => ({ ...common, config: undefined, roles: new Map() }),
  },
};

function mounts<M extends KvMount | JwtMount>(
  kind: MountKind<M>,
  mounted: Map<string, M>,
  name: string,
  { body }: Exchange,
): Endpoint {
  const about = (mount: M): object => ({
    accessor: mount.accessor,
    config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
    description: mount.description,
    external_entropy_access: false,
    local: false,
    options: kind.options,
    seal_wrap: false,
    type: kind.type,
    uuid: mount.uuid,
  });
  if (name === '')
    return {
      read: () =>
        withDataTwice(Object.fromEntries([...mounted].map(([path, mount]) => [`${path}/`, about(mount)]))),
    };
  return {
    read() {
      const mount = mounted.get(name);
      if (!mount) throw invalid(`No ${kind.what} at ${name}/`);
      return withDataTwice(about(mount));
    },
    write() {
      requireOffered(body, kind.offered);
      if (name.includes('/')) throw invalid('the dev Vault mounts at paths of one segment only');
      const type = field.text(body, 'type') ?? '';
      if (type !== kind.type) throw invalid(`plugin not found in the catalog: ${type}`);
      if (mounted.has(name)) throw invalid(`path is already in use at ${name}/`);
      const accessor = `${kind.type === 'jwt' ? 'auth_jwt' : 'kv'}_${randomBytes(4).toString('hex')}`;
      const description = field.text(body, 'description') ?? '';
      mounted.set(name, kind.make({ accessor, uuid: randomUUID(), description }, body));
      return done;
    },
  };
}

function policies(state: VaultState, name: string, { body }: Exchange): Endpoint {
  if (name === '') return { list: () => withData({ keys: [...state.policies.keys(), 'root'].sort() }) };
  return {
    read() {
      const policy = name === 'root' ? '' : state.policies.get(name);
      if (policy === undefined) throw notFound();
      return withData({ name, policy });
    },
    write() {
      const policy = field.text(body, 'policy');
      if (!policy) throw invalid("'policy' parameter not supplied or empty");
      if (name === 'root') throw invalid('cannot update "root" policy');
      parsePolicy(policy);
      state.policies.set(name, policy);
      return done;
    },
    delete() {
      if (name === defaultPolicy) throw invalid('cannot delete default policy');
      state.policies.delete(name);
      return done;
    },
  };
}
