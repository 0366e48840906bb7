import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Binding } from './connector.ts';
import { isLive, reachableConnectors } from './reachable-connectors.store.ts';

const columns = `b.id, b.organization_id as "organizationId", b.project_id as "projectId", b.connector_id as "connectorId", b.name, b.state,
  b.secret_version as "secretVersion", b.created_at as "createdAt", b.rotated_at as "rotatedAt", b.last_used_at as "lastUsedAt"`;

/** Nobody writes its secret now. */
const unclaimed = '(b.write_claimed_until is null or b.write_claimed_until < now())';

export const bindingsById = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Binding>(`-- bindingsById\n select ${columns} from connector_binding b where b.id = any ($1)`, [
    ids,
  ]);

/** Locks the row until the transaction ends: commands on one binding follow each other. */
export async function lockBinding(tx: Tx, id: Uuid): Promise<Binding | undefined> {
  const [row] = await tx.sql<Binding>(
    `-- lockBinding\n select ${columns} from connector_binding b where b.id = $1 for update`,
    [id],
  );
  return row;
}

/** Inserts a pending binding; an existing one under the same key is answered instead. Either is locked. */
export async function insertBinding(
  tx: Tx,
  binding: Pick<Binding, 'organizationId' | 'projectId' | 'connectorId' | 'name'> & {
    idempotencyKey: string;
    requestHash: string;
  },
): Promise<Binding & { readonly requestHash: string }> {
  const { organizationId, projectId, connectorId, name, idempotencyKey, requestHash } = binding;
  await tx.sql(
    `-- insertBinding
     insert into connector_binding (id, organization_id, project_id, connector_id, name, idempotency_key, request_hash) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (organization_id, idempotency_key) do nothing`,
    [uuidv7(), organizationId, projectId, connectorId, name, idempotencyKey, requestHash],
  );
  const [row] = await tx.sql<Binding & { requestHash: string }>(
    `-- insertBinding: under the key
     select ${columns}, b.request_hash as "requestHash" from connector_binding b where organization_id = $1 and idempotency_key = $2 for update`,
    [organizationId, idempotencyKey],
  );
  return row!;
}

/** Claims the writing of a binding's secret for a minute, longer than the secret store is waited for; false while somebody else writes it. */
export async function claimWrite(tx: Tx, id: Uuid): Promise<boolean> {
  const rows = await tx.sql(
    `-- claimWrite
     update connector_binding b set write_claimed_until = now() + interval '60 seconds' where b.id = $1 and b.state <> 'REVOKED' and ${unclaimed} returning b.id`,
    [id],
  );
  return rows.length > 0;
}

export const releaseWrite = (tx: Tx, id: Uuid) =>
  tx.sql('-- releaseWrite\n update connector_binding set write_claimed_until = null where id = $1', [id]);

/** Notes which version of the secret is stored, and ends the claim; undefined when the binding was revoked meanwhile. */
export async function noteStored(tx: Tx, id: Uuid, version: number): Promise<Binding | undefined> {
  const [row] = await tx.sql<Binding>(
    `-- noteStored
     update connector_binding b set secret_version = greatest(b.secret_version, $2), write_claimed_until = null, state = 'ACTIVE',
       rotated_at = case b.state when 'PENDING' then b.rotated_at else now() end
     where b.id = $1 and b.state <> 'REVOKED' returning ${columns}`,
    [id, version],
  );
  return row;
}

export async function markRevoked(tx: Tx, id: Uuid): Promise<Binding> {
  const [row] = await tx.sql<Binding>(
    `-- markRevoked\n update connector_binding b set state = 'REVOKED' where b.id = $1 returning ${columns}`,
    [id],
  );
  return row!;
}

/** Whether no other live binding of its connector in its project is newer: policies name the newest one. */
export async function isNewest(
  tx: Tx,
  binding: Pick<Binding, 'id' | 'projectId' | 'connectorId'>,
): Promise<boolean> {
  const newer = await tx.sql(
    `-- isNewest
     select b.id from connector_binding b where b.project_id = $2 and b.connector_id = $3 and b.id > $1 and ${isLive('b')} limit 1`,
    [binding.id, binding.projectId, binding.connectorId],
  );
  return newer.length === 0;
}

/** The secrets of a connector that sends them elsewhere now, or under other names, have to be given anew. */
export const suspendBindings = (tx: Tx, connectorId: Uuid) =>
  tx.sql(
    `-- suspendBindings
     update connector_binding set state = 'NEEDS_REAUTHORIZATION'
     where id in (select id from connector_binding where connector_id = $1 and state = 'ACTIVE' order by id for update)`,
    [connectorId],
  );

/** What the tool gateway saw of a binding. */
export interface ObservedUse {
  readonly bindingId: Uuid;
  readonly usedAt?: string | undefined;
  readonly unauthorized?: true | undefined;
}

/**
 * Notes when bindings were used, and which the upstream does not accept any more. What was seen before the secret was last written says nothing of the
 * one that is there now.
 */
export const noteUses = (tx: Tx, uses: readonly ObservedUse[]) =>
  tx.sql(
    `-- noteUses
     with seen as (
       select id, least(max(used), now()) as used, max(used) filter (where refused) as refused, bool_or(refused and used is null) as refused_some_time
       from unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) as use (id, used, refused) group by id
     ), locked as (
       select b.id from connector_binding b join seen on seen.id = b.id order by b.id for update of b
     )
     update connector_binding b set last_used_at = greatest(b.last_used_at, seen.used),
       state = case when b.state = 'ACTIVE' and (refused_some_time or seen.refused >= coalesce(b.rotated_at, b.created_at)) then 'NEEDS_REAUTHORIZATION' else b.state end
     from seen join locked on locked.id = seen.id where b.id = seen.id`,
    [
      uses.map(({ bindingId }) => bindingId),
      uses.map(({ usedAt }) => usedAt ?? null),
      uses.map(({ unauthorized }) => unauthorized ?? false),
    ],
  );

/** Revokes what was begun an hour ago and never got its secret: whoever began it is gone. */
export const abandonPending = (tx: Tx) =>
  tx.sql(
    `-- abandonPending
     update connector_binding b set state = 'REVOKED' where b.state = 'PENDING' and b.created_at < now() - interval '1 hour' and ${unclaimed}`,
  );

/** Revoked ones whose secret may still lie in the store, and that nobody writes to. */
export const unremoved = (tx: Tx) =>
  tx.sql<Binding>(
    `-- unremoved
     select ${columns} from connector_binding b where b.state = 'REVOKED' and b.removed_at is null and ${unclaimed} order by b.id limit 100`,
  );

/** Notes that the secret is gone, unless somebody may still be writing it: then it is removed once more. */
export const markRemoved = (tx: Tx, id: Uuid) =>
  tx.sql(
    `-- markRemoved\n update connector_binding b set removed_at = now() where b.id = $1 and b.state = 'REVOKED' and ${unclaimed}`,
    [id],
  );

/** Of each project its newest 100 bindings, newest first. */
export async function bindingsOfProjects(
  tx: Tx,
  projectIds: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, Binding[]>> {
  const rows = await tx.sql<Binding>(
    `-- bindingsOfProjects
     select b.* from unnest($1::uuid[]) as p (id)
     cross join lateral (select ${columns} from connector_binding b where b.project_id = p.id order by b.id desc limit 100) b`,
    [projectIds],
  );
  return Map.groupBy(rows, ({ projectId }) => projectId);
}

/** Of each instance the bindings that its tools use. */
export async function bindingsOfInstances(
  tx: Tx,
  instanceIds: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, Binding[]>> {
  const rows = await tx.sql<Binding & { instanceId: Uuid }>(
    `-- bindingsOfInstances
     select i.id as "instanceId", ${columns} from instance i join offering_version v on v.id = i.offering_version_id
     cross join lateral (${reachableConnectors}) reachable
     cross join lateral jsonb_array_elements(reachable.connectors) one
     join connector_binding b on b.id = (one ->> 'bindingId')::uuid and (one ->> 'needsSecret')::boolean
     where i.id = any ($1) order by b.id desc`,
    [instanceIds],
  );
  return Map.groupBy(rows, ({ instanceId }) => instanceId);
}
