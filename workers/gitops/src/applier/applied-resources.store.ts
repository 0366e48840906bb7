import type { Tx } from '@agentstore/kernel/db/database';
import { subjects, type Subject } from '../desired/subjects.ts';
import type { Condition } from './conditions.ts';

/** A resource taken over from Git, with what is observed of it. */
export interface AppliedResource {
  readonly kind: string;
  /** Or that of the knowledge base, as the kind says. */
  readonly instanceId: string;
  readonly name: string;
  /** Null when the only file under this name was refused and did not say whose it is. */
  readonly organizationId: string | null;
  readonly folder: string;
  /** Empty while nothing was ever accepted under this name. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly generation: number;
  readonly commit: string;
  readonly conditions: readonly Condition[];
  readonly resourceVersion: bigint;
  readonly deleted: boolean;
  /** How often this generation was looked at. */
  readonly checks: number;
}

const columns = `kind, instance_id as "instanceId", name, organization_id as "organizationId", folder, spec, generation, commit, conditions,
  resource_version as "resourceVersion", deleted, checks`;

/** Of what was only ever refused nothing is in force. */
const inForce = "spec <> '{}'::jsonb";

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

/** Every row of an instance or a knowledge base, deleted ones too. */
export const resourcesOf = (tx: Tx, instanceId: string) =>
  tx.sql<AppliedResource>(`-- resourcesOf\n select ${columns} from applied_resource where instance_id = $1`, [
    instanceId,
  ]);

export async function upsertResource(
  tx: Tx,
  r: Omit<AppliedResource, 'resourceVersion' | 'deleted'>,
): Promise<void> {
  await tx.sql(
    `-- upsertResource
     insert into applied_resource (kind, instance_id, name, organization_id, folder, spec, generation, commit, conditions, checks) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (kind, instance_id) do update set name = excluded.name, organization_id = excluded.organization_id, folder = excluded.folder, spec = excluded.spec,
       generation = excluded.generation, commit = excluded.commit, conditions = excluded.conditions, checks = excluded.checks, next_check_at = now(), changed_at = now(),
       deleted = false, resource_version = nextval('resource_version')`,
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
      r.checks,
    ],
  );
}

/** Conditions of a resource that is still at that version of itself; false when something newer was applied meanwhile. */
export async function writeConditions(
  tx: Tx,
  r: Pick<AppliedResource, 'kind' | 'instanceId' | 'generation'>,
  conditions: readonly Condition[],
): Promise<boolean> {
  const rows = await tx.sql(
    `-- writeConditions
     update applied_resource set conditions = $4, changed_at = now(), resource_version = nextval('resource_version')
     where kind = $1 and instance_id = $2 and generation = $3 and not deleted returning kind`,
    [r.kind, r.instanceId, r.generation, JSON.stringify(conditions)],
  );
  return rows.length > 0;
}

/** Notes that a resource was looked at; the next look is 0.5 s, 1 s, 2 s … up to 15 s away. */
export const noteCheck = (tx: Tx, r: Pick<AppliedResource, 'kind' | 'instanceId' | 'generation'>) =>
  tx.sql(
    `-- noteCheck
     update applied_resource set checks = checks + 1, next_check_at = now() + make_interval(secs => least(15, 0.5 * 2 ^ least(checks, 10)))
     where kind = $1 and instance_id = $2 and generation = $3 and not deleted`,
    [r.kind, r.instanceId, r.generation],
  );

export const deleteResource = (tx: Tx, kind: string, instanceId: string, commit: string) =>
  tx.sql(
    `-- deleteResource
     update applied_resource set deleted = true, commit = $3, changed_at = now(), resource_version = nextval('resource_version') where kind = $1 and instance_id = $2 and not deleted`,
    [kind, instanceId, commit],
  );

/** What is applied without a file of these: the rest of a branch that was put in the place of another. */
export const resourcesWithout = (tx: Tx, root: string, files: readonly string[]) =>
  tx.sql<{ kind: string; instanceId: string }>(
    `-- resourcesWithout
     select kind, instance_id as "instanceId" from applied_resource where not deleted and starts_with(folder, $1) and not folder || '/' || lower(kind) || '.yaml' = any ($2)`,
    [root, files],
  );

export const tellApplied = (tx: Tx) =>
  tx.sql("-- tellApplied\n select pg_notify('gitops_applied', 'applied')");

export async function resourceOf(
  tx: Tx,
  kind: string,
  instanceId: string,
): Promise<AppliedResource | undefined> {
  const [row] = await tx.sql<AppliedResource>(
    `-- resourceOf\n select ${columns} from applied_resource where kind = $1 and instance_id = $2 and not deleted and ${inForce}`,
    [kind, instanceId],
  );
  return row;
}

/** Changes after a version, the deleted ones too, in the order in which they became true; the next page starts after the last one. */
export const resourcesSince = (tx: Tx, kindNames: readonly string[], since: bigint, page = 1_000) =>
  tx.sql<AppliedResource>(
    `-- resourcesSince
     select ${columns} from applied_resource where kind = any ($1) and resource_version > $2 and ${inForce} order by resource_version limit $3`,
    [kindNames, since, page],
  );

/** What has to be looked at to see whether a resource is ready. */
export type Needed = 'artifact' | 'engine' | 'nothing';

/**
 * What was accepted, is not ready at its generation, is due to be looked at, and needs that to be: routes that answer runs need their artifact, knowledge
 * bases that are there to stay their engine; a route that refuses runs, a base that is to go and everything else need nothing.
 */
export const unready = (tx: Tx, needed: Needed) =>
  tx.sql<AppliedResource>(
    `-- unready
     select ${columns} from applied_resource where not deleted and next_check_at <= now() and ${inForce} 
       and case when spec ->> 'desiredPhase' <> 'Active' then 'nothing' when kind = 'GatewayRoute' then 'artifact' when kind in ('KnowledgeBase', 'RagflowKB') then 'engine' else 'nothing' end = $1
       and not conditions @> '[{"type": "Accepted", "status": "False"}]'
       and not conditions @> jsonb_build_array(jsonb_build_object('type', 'Ready', 'status', 'True', 'observedGeneration', generation))
     order by next_check_at limit 200`,
    [needed],
  );

/** What the owner is to be told of one instance or knowledge base. */
export interface Report {
  readonly instanceId: string;
  readonly version: bigint;
  readonly attempts: number;
  /** The newest that was seen of it. */
  readonly commit: string;
  readonly generation: number;
  readonly folder: string;
  /** None: nothing of it is applied any longer. */
  readonly resources: readonly Pick<AppliedResource, 'kind' | 'name' | 'conditions'>[];
}

/**
 * Takes up to `limit` instances or knowledge bases whose newest version their owner does not know, once all their resources were looked at or, for a subject
 * that is told of it, are gone; for half a minute: two processes never tell of the same one at the same time, so what is told last is what is newest.
 */
export const claimReports = (tx: Tx, subject: Subject, limit: number) =>
  tx.sql<Report>(
    `-- claimReports
     with due as (
       select a.instance_id, max(a.resource_version) as version, min(a.folder) as folder, coalesce(min(a.generation) filter (where not a.deleted), max(a.generation)) as generation,
         (array_agg(a.commit order by a.deleted, a.kind))[1] as commit,
         coalesce(json_agg(json_build_object('kind', a.kind, 'name', a.name, 'conditions', a.conditions) order by a.kind)
           filter (where not a.deleted), '[]') as resources
       from applied_resource a left join report r on r.instance_id = a.instance_id
       where a.kind = any ($2) and (r.instance_id is null or r.next_attempt_at <= now())
       group by a.instance_id, r.told_version
       having max(a.resource_version) > coalesce(r.told_version, 0) and ($3 or bool_or(not a.deleted)) and bool_and(a.deleted or a.checks > 0)
       order by 2 limit $1
     ), claimed as (
       insert into report as r (instance_id, next_attempt_at) select instance_id, now() + interval '30 seconds' from due
       on conflict (instance_id) do update set next_attempt_at = excluded.next_attempt_at where r.next_attempt_at <= now() returning r.instance_id, r.attempts
     )
     select due.instance_id as "instanceId", due.version, due.folder, due.generation, due.commit, due.resources, claimed.attempts from due join claimed using (instance_id) order by due.version`,
    [limit, subjects[subject].kinds, subjects[subject].toldOfRemoval],
  );

export const noteReported = (tx: Tx, instanceId: string, version: bigint) =>
  tx.sql(
    '-- noteReported\n update report set told_version = $2, attempts = 0, next_attempt_at = now() where instance_id = $1',
    [instanceId, version],
  );

/** Tells again later: after 1 s, 2 s, 4 s … up to a minute. */
export const noteUntold = (tx: Tx, instanceId: string) =>
  tx.sql(
    `-- noteUntold
     update report set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => least(60, 2 ^ least(attempts, 10))) where instance_id = $1`,
    [instanceId],
  );

export const queueRemoval = (tx: Tx, folder: string, instanceId: string) =>
  tx.sql(
    '-- queueRemoval\n insert into removal (folder, instance_id) values ($1, $2) on conflict do nothing',
    [folder, instanceId],
  );

/** Ends tombstones that every watcher has seen long ago, and what was told of what is gone. */
export async function pruneApplied(tx: Tx): Promise<void> {
  await tx.sql(
    "-- pruneApplied\n delete from applied_resource where deleted and changed_at < now() - interval '7 days'",
  );
  await tx.sql(
    `-- pruneApplied: reports
     delete from report r where not exists (select from applied_resource a where a.instance_id = r.instance_id) and r.next_attempt_at < now()`,
  );
}
