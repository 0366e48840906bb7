import type { Tx } from '@agentstore/kernel/db/database';

export interface Condition {
  readonly type: 'Accepted' | 'Ready';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** A resource taken over from Git, with what is observed of it. */
export interface AppliedResource {
  readonly kind: string;
  readonly instanceId: string;
  readonly name: string;
  readonly organizationId: string;
  readonly folder: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly generation: number;
  readonly commit: string;
  readonly conditions: readonly Condition[];
  readonly resourceVersion: bigint;
  readonly deleted: boolean;
}

const columns = `kind, instance_id as "instanceId", name, organization_id as "organizationId", folder, spec, generation, commit, conditions,
  resource_version as "resourceVersion", deleted`;

export async function positionOf(tx: Tx, branch: string): Promise<string | undefined> {
  const [row] = await tx.sql<{ commit: string }>(
    '-- positionOf\n select commit from applier_position where branch = $1 for update',
    [branch],
  );
  return row?.commit;
}

export const moveTo = (tx: Tx, branch: string, commit: string) =>
  tx.sql(
    '-- moveTo\n insert into applier_position (branch, commit) values ($1, $2) on conflict (branch) do update set commit = excluded.commit',
    [branch, commit],
  );

/** One applier works at a time; the lock also makes resource versions commit in the order in which they are given. */
export const lockApplier = (tx: Tx) => tx.sql('-- lockApplier\n select pg_advisory_xact_lock(7261003)');

export async function upsertResource(
  tx: Tx,
  r: Omit<AppliedResource, 'resourceVersion' | 'deleted'>,
): Promise<void> {
  await tx.sql(
    `-- upsertResource
     insert into applied_resource (kind, instance_id, name, organization_id, folder, spec, generation, commit, conditions) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (kind, instance_id) do update set name = excluded.name, organization_id = excluded.organization_id, folder = excluded.folder, spec = excluded.spec,
       generation = excluded.generation, commit = excluded.commit, conditions = excluded.conditions, deleted = false, resource_version = nextval('resource_version')`,
    [
      r.kind,
      r.instanceId,
      r.name,
      r.organizationId,
      r.folder,
      JSON.stringify(r.spec),
      r.generation,
      r.commit,
      JSON.stringify(r.conditions),
    ],
  );
}

export const writeConditions = (
  tx: Tx,
  r: Pick<AppliedResource, 'kind' | 'instanceId' | 'generation'>,
  conditions: readonly Condition[],
) =>
  tx.sql(
    `-- writeConditions
     update applied_resource set conditions = $4, resource_version = nextval('resource_version') where kind = $1 and instance_id = $2 and generation = $3 and not deleted`,
    [r.kind, r.instanceId, r.generation, JSON.stringify(conditions)],
  );

export const deleteResource = (tx: Tx, kind: string, instanceId: string, commit: string) =>
  tx.sql(
    `-- deleteResource
     update applied_resource set deleted = true, commit = $3, resource_version = nextval('resource_version') where kind = $1 and instance_id = $2 and not deleted`,
    [kind, instanceId, commit],
  );

export const tellApplied = (tx: Tx) =>
  tx.sql("-- tellApplied\n select pg_notify('gitops_applied', 'applied')");

export async function resourceOf(
  tx: Tx,
  kind: string,
  instanceId: string,
): Promise<AppliedResource | undefined> {
  const [row] = await tx.sql<AppliedResource>(
    `-- resourceOf\n select ${columns} from applied_resource where kind = $1 and instance_id = $2 and not deleted`,
    [kind, instanceId],
  );
  return row;
}

export const resourcesSince = (
  tx: Tx,
  kindNames: readonly string[],
  since: bigint,
  includeDeleted: boolean,
) =>
  tx.sql<AppliedResource>(
    `-- resourcesSince
     select ${columns} from applied_resource where kind = any ($1) and resource_version > $2 and ($3 or not deleted) order by resource_version limit 1000`,
    [kindNames, since, includeDeleted],
  );

export const unready = (tx: Tx) =>
  tx.sql<AppliedResource>(
    `-- unready
     select ${columns} from applied_resource where not deleted and not conditions @> '[{"type": "Ready", "status": "True"}]'
       and not conditions @> '[{"type": "Accepted", "status": "False"}]' order by resource_version limit 200`,
  );

/** Instances whose newest version the control plane does not know yet, with all their resources. */
export const unreported = (tx: Tx) =>
  tx.sql<{ instanceId: string; version: bigint; resources: AppliedResource[] }>(
    `-- unreported
     select a.instance_id as "instanceId", max(a.resource_version) as version,
       json_agg(json_build_object('kind', a.kind, 'name', a.name, 'generation', a.generation, 'commit', a.commit, 'conditions', a.conditions, 'spec', a.spec, 'folder', a.folder) order by a.kind) as resources
     from applied_resource a left join report r on r.instance_id = a.instance_id
     where not a.deleted group by a.instance_id, r.told_version having max(a.resource_version) > coalesce(r.told_version, 0) order by 2 limit 100`,
  );

export const noteReported = (tx: Tx, instanceId: string, version: bigint) =>
  tx.sql(
    `-- noteReported
     insert into report (instance_id, told_version) values ($1, $2) on conflict (instance_id) do update set told_version = greatest(report.told_version, excluded.told_version)`,
    [instanceId, version],
  );

export const queueRemoval = (tx: Tx, folder: string, instanceId: string) =>
  tx.sql(
    '-- queueRemoval\n insert into removal (folder, instance_id) values ($1, $2) on conflict do nothing',
    [folder, instanceId],
  );
