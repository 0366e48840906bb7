import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { ToolAccess } from '../connectors/connector.ts';
import { reachableConnectors } from '../connectors/reachable-connectors.store.ts';
import type { OfferingVersionState } from '../offerings/offerings.store.ts';
import type { Condition, DesiredPhase, Instance, InstanceState } from './instance.ts';

const columns = `i.id, i.organization_id as "organizationId", i.project_id as "projectId", i.offering_id as "offeringId",
  i.offering_version_id as "offeringVersionId", i.plan_id as "planId", i.name, i.state, i.desired_phase as "desiredPhase",
  i.desired_generation as "desiredGeneration", i.observed_generation as "observedGeneration", i.config, i.tool_rules as "toolRules", i.conditions,
  i.saleor_order_id as "saleorOrderId", i.widget_key as "widgetKey", i.requested_at as "requestedAt"`;

export async function instanceById(tx: Tx, id: Uuid): Promise<Instance | undefined> {
  const [row] = await tx.sql<Instance>(`-- instanceById\n select ${columns} from instance i where id = $1`, [
    id,
  ]);
  return row;
}

/** The instance that was made under a key, and what was asked for then. */
export async function instanceUnderKey(
  tx: Tx,
  organizationId: Uuid,
  idempotencyKey: string,
): Promise<(Instance & { readonly requestHash: string | null }) | undefined> {
  const [row] = await tx.sql<Instance & { requestHash: string | null }>(
    `-- instanceUnderKey
     select ${columns}, i.request_hash as "requestHash" from instance i where organization_id = $1 and idempotency_key = $2`,
    [organizationId, idempotencyKey],
  );
  return row;
}

/** Locks the row until the transaction ends: commands on one instance follow each other. */
export async function lockInstance(tx: Tx, id: Uuid): Promise<Instance | undefined> {
  const [row] = await tx.sql<Instance>(
    `-- lockInstance\n select ${columns} from instance i where id = $1 for update`,
    [id],
  );
  return row;
}

export const instancesOfProject = (
  tx: Tx,
  projectId: Uuid,
  states: readonly InstanceState[] | null,
  page: PageRequest,
) =>
  tx.sql<Instance>(
    `-- instancesOfProject
     select ${columns} from instance i where project_id = $1 and ($2::text[] is null or state = any ($2)) and ($3::uuid is null or id > $3) order by id limit $4`,
    [projectId, states, page.afterKey, page.first + 1],
  );

/** Of one shop when it is named. In the graph it is not: there is one shop there, and its order ids are its own. */
export const instancesOfOrder = (tx: Tx, order: { orderId: string; saleorApiUrl?: string }) =>
  tx.sql<Instance>(
    `-- instancesOfOrder
     select ${columns} from instance i where saleor_order_id = $1 and ($2::text is null or saleor_api_url = $2) order by id`,
    [order.orderId, order.saleorApiUrl ?? null],
  );

export interface NewInstance {
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly offeringId: Uuid;
  readonly offeringVersionId: Uuid;
  readonly planId: Uuid;
  readonly name: string;
  readonly idempotencyKey: string;
  /** Of what was asked for under the key. */
  readonly requestHash?: string | undefined;
  readonly order?: { saleorApiUrl: string; orderId: string; lineId: string } | undefined;
}

/** Inserts a requested instance; an existing one under the same key is answered instead (`created` false). */
export async function insertInstance(
  tx: Tx,
  input: NewInstance,
): Promise<{ instance: Instance & { readonly requestHash: string | null }; created: boolean }> {
  const id = uuidv7();
  const inserted = await tx.sql(
    `-- insertInstance
     insert into instance (id, organization_id, project_id, offering_id, offering_version_id, plan_id, name, state, saleor_api_url, saleor_order_id, saleor_line_id, idempotency_key, request_hash)
     values ($1, $2, $3, $4, $5, $6, $7, 'REQUESTED', $8, $9, $10, $11, $12) on conflict (organization_id, idempotency_key) do nothing returning id`,
    [
      id,
      input.organizationId,
      input.projectId,
      input.offeringId,
      input.offeringVersionId,
      input.planId,
      input.name,
      input.order?.saleorApiUrl ?? null,
      input.order?.orderId ?? null,
      input.order?.lineId ?? null,
      input.idempotencyKey,
      input.requestHash ?? null,
    ],
  );
  const row = await instanceUnderKey(tx, input.organizationId, input.idempotencyKey);
  return { instance: row!, created: inserted.length > 0 };
}

/** Writes a new generation of what the instance should be. */
export async function writeDesired(
  tx: Tx,
  instance: Instance,
  change: Pick<Instance, 'desiredPhase' | 'config' | 'toolRules'>,
): Promise<Instance> {
  const [row] = await tx.sql<Instance>(
    `-- writeDesired
     update instance i set desired_phase = $3, config = $4, tool_rules = $5, desired_generation = desired_generation + 1, changed_at = now()
     where id = $1 and desired_generation = $2 returning ${columns}`,
    [
      instance.id,
      instance.desiredGeneration,
      change.desiredPhase,
      JSON.stringify(change.config),
      JSON.stringify(change.toolRules),
    ],
  );
  return row!;
}

/** Puts the instance's newest generation in line for Git and wakes the writer. */
export async function queueForGit(tx: Tx, instance: Instance): Promise<void> {
  await tx.sql(
    `-- queueForGit
     insert into gitops_outbox (id, instance_id, organization_id, generation, actor) values ($1, $2, $3, $4, $5)`,
    [uuidv7(), instance.id, instance.organizationId, instance.desiredGeneration, tx.scope.actor],
  );
  await tx.sql("-- queueForGit: wake\n select pg_notify('control_plane_desired', 'desired')");
}

/** Grows with each entry of the timeline; followers compare it. */
export async function timelineLength(tx: Tx, instanceId: Uuid): Promise<number> {
  const [row] = await tx.sql<{ length: number }>(
    '-- timelineLength\n select count(*)::int as length from instance_event where instance_id = $1',
    [instanceId],
  );
  return row!.length;
}

export interface TimelineEvent {
  readonly kind: string;
  readonly generation: number;
  readonly message: string;
  readonly commit?: string | null;
}

/** Adds to the timeline once per generation and kind, with the time since that generation was requested (as far as an int counts milliseconds); tells followers. */
export async function addEvent(
  tx: Tx,
  instance: Pick<Instance, 'id' | 'organizationId'>,
  event: TimelineEvent,
): Promise<void> {
  await tx.sql(
    `-- addEvent
     insert into instance_event (id, instance_id, organization_id, generation, kind, message, commit, duration_ms)
     values ($1, $2, $3, $4, $5, $6, $7, (select least(extract(epoch from clock_timestamp() - at) * 1000, 2147483647)::int from instance_event
       where instance_id = $2 and generation = $4 order by id limit 1))
     on conflict (instance_id, generation, kind) do nothing`,
    [
      uuidv7(),
      instance.id,
      instance.organizationId,
      event.generation,
      event.kind,
      event.message,
      event.commit ?? null,
    ],
  );
  await tx.sql("-- addEvent: tell\n select pg_notify('control_plane_instance', $1)", [instance.id]);
}

export const timelineOf = (tx: Tx, instanceId: Uuid) =>
  tx.sql<{
    at: Date;
    kind: string;
    generation: number;
    message: string;
    commit: string | null;
    durationMs: number | null;
  }>(
    `-- timelineOf
     select at, kind, generation, message, commit, duration_ms as "durationMs" from instance_event where instance_id = $1 order by at, id`,
    [instanceId],
  );

export async function writeObserved(
  tx: Tx,
  id: Uuid,
  observed: {
    state: InstanceState;
    observedGeneration: number;
    conditions: readonly (Condition & { resource: string })[];
  },
): Promise<void> {
  await tx.sql(
    `-- writeObserved
     update instance set state = $2, observed_generation = $3, conditions = $4, changed_at = now() where id = $1`,
    [id, observed.state, observed.observedGeneration, JSON.stringify(observed.conditions)],
  );
  await tx.sql("-- writeObserved: tell\n select pg_notify('control_plane_instance', $1)", [id]);
}

/** All a run needs to know of its instance, in one statement. */
export interface RunFacts extends ToolAccess {
  readonly instanceId: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly offeringId: Uuid;
  readonly offeringVersionId: Uuid;
  readonly state: InstanceState;
  readonly versionState: OfferingVersionState;
  readonly desiredPhase: DesiredPhase;
  readonly desiredGeneration: number;
  readonly observedGeneration: number;
  readonly planId: Uuid;
  readonly planCode: string;
  readonly entitlements: readonly { capability: string; limits: object }[];
  readonly versionConfig: Readonly<Record<string, unknown>>;
  readonly planConfig: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly artifact: { bucket: string; key: string; sha256: string; sizeBytes: number };
  readonly limits: { maxRunSeconds: number; maxConcurrentRuns: number };
  readonly organizationSlug: string;
  readonly projectSlug: string;
  readonly offeringSlug: string;
  readonly version: string;
}

const runFacts = `i.id as "instanceId", i.organization_id as "organizationId", i.project_id as "projectId", i.offering_id as "offeringId",
  i.offering_version_id as "offeringVersionId", i.state, v.state as "versionState", i.desired_phase as "desiredPhase", i.desired_generation as "desiredGeneration",
  i.observed_generation as "observedGeneration", p.id as "planId", p.code as "planCode", p.entitlements, v.config as "versionConfig", p.config as "planConfig", i.config,
  json_build_object('bucket', v.bucket, 'key', v.object_key, 'sha256', v.sha256, 'sizeBytes', v.size_bytes) as artifact,
  json_build_object('maxRunSeconds', p.max_run_seconds, 'maxConcurrentRuns', p.max_concurrent_runs) as limits,
  o.slug as "organizationSlug", pr.slug as "projectSlug", f.slug as "offeringSlug", v.version,
  v.required_connectors as "requiredConnectors", i.tool_rules as "toolRules", reachable.connectors as "reachableConnectors"`;
const runJoins = `join plan p on p.id = i.plan_id join offering_version v on v.id = i.offering_version_id join organization o on o.id = i.organization_id
  join project pr on pr.id = i.project_id join offering f on f.id = i.offering_id
  cross join lateral (${reachableConnectors}) reachable`;

export async function runFactsOf(tx: Tx, instanceId: Uuid): Promise<RunFacts | undefined> {
  const [row] = await tx.sql<RunFacts>(
    `-- runFactsOf\n select ${runFacts} from instance i ${runJoins} where i.id = $1`,
    [instanceId],
  );
  return row;
}

/** A desired state in line for Git. */
export interface DesiredState extends RunFacts {
  readonly outboxId: Uuid;
  readonly generation: number;
  readonly actor: string;
  readonly requestedAt: Date;
}

/**
 * Takes up to `limit` desired states for half a minute: the newest generation of each instance; older ones of the same instance are
 * dropped, since Git needs only the last. One writer at a time holds the branch's lease and claims: what a former one had goes to the next at once, and what
 * this one lost (an answer that did not arrive) comes back by time.
 */
export async function claimDesired(
  tx: Tx,
  { limit, writerId }: { limit: number; writerId: string },
): Promise<DesiredState[]> {
  await tx.sql(
    `-- claimDesired: superseded
     delete from gitops_outbox g using instance i where i.id = g.instance_id and g.generation < i.desired_generation
       and (g.claimed_until is null or g.claimed_until < now() or g.claimed_by is distinct from $1)`,
    [writerId],
  );
  return tx.sql<DesiredState>(
    `-- claimDesired
     with due as (
       select id from gitops_outbox where claimed_until is null or claimed_until < now() or claimed_by is distinct from $2
       order by id limit $1 for update skip locked
     ), taken as (
       update gitops_outbox g set claimed_until = now() + interval '30 seconds', claimed_by = $2 from due where g.id = due.id returning g.*
     )
     select t.id as "outboxId", t.generation, t.actor, t.requested_at as "requestedAt", ${runFacts} from taken t join instance i on i.id = t.instance_id ${runJoins} order by t.id`,
    [limit, writerId],
  );
}

export async function forgetDesired(tx: Tx, outboxIds: readonly Uuid[]): Promise<void> {
  await tx.sql('-- forgetDesired\n delete from gitops_outbox where id = any ($1)', [outboxIds]);
}

/** Desired states that Git should have by now, in order of their instances' ids: nothing of theirs is in line, and their folders are not on their way out. */
export const settledDesired = (tx: Tx, page: { after: Uuid | null; limit: number }) =>
  tx.sql<RunFacts>(
    `-- settledDesired
     select ${runFacts} from instance i ${runJoins}
     where i.state not in ('REQUESTED', 'TERMINATED') and ($1::uuid is null or i.id > $1)
       and not exists (select from gitops_outbox g where g.instance_id = i.id) order by i.id limit $2`,
    [page.after, page.limit],
  );

/** Puts a generation in line for Git once more, when it is still the newest one and not in line; answers whether it did. */
export async function queueAgain(
  tx: Tx,
  item: { instanceId: Uuid; generation: number },
): Promise<{ organizationId: Uuid } | undefined> {
  const [row] = await tx.sql<{ organizationId: Uuid }>(
    `-- queueAgain
     insert into gitops_outbox (id, instance_id, organization_id, generation, actor)
     select $1, id, organization_id, desired_generation, $4 from instance where id = $2 and desired_generation = $3 and state <> 'TERMINATED'
     on conflict do nothing returning organization_id as "organizationId"`,
    [uuidv7(), item.instanceId, item.generation, tx.scope.actor],
  );
  if (row) await tx.sql("-- queueAgain: wake\n select pg_notify('control_plane_desired', 'desired')");
  return row;
}

/** Instances of a plan that are there to stay. */
export const instancesOfPlan = (tx: Tx, planId: Uuid) =>
  tx.sql<{ id: Uuid }>(
    "-- instancesOfPlan\n select id from instance where plan_id = $1 and desired_phase <> 'Terminated'",
    [planId],
  );

/** Gives instances a new generation, in line for Git: what they are given from elsewhere is another thing now. `kind` is the timeline's word for it. */
export async function renewInstances(
  tx: Tx,
  instances: readonly { readonly id: Uuid }[],
  kind: 'plan-changed' | 'tools-changed',
): Promise<void> {
  const renewed = await tx.sql<{ id: Uuid; organizationId: Uuid; generation: number }>(
    `-- renewInstances
     update instance set desired_generation = desired_generation + 1, changed_at = now()
     where id in (select id from instance where id = any ($1) and desired_phase <> 'Terminated' order by id for update)
     returning id, organization_id as "organizationId", desired_generation as generation`,
    [instances.map(({ id }) => id)],
  );
  if (!renewed.length) return;
  const columns = [
    renewed.map(({ id }) => id),
    renewed.map(({ organizationId }) => organizationId),
    renewed.map(({ generation }) => generation),
    renewed.map(() => uuidv7()),
  ];
  await tx.sql(
    `-- renewInstances: timeline
     insert into instance_event (id, instance_id, organization_id, generation, kind, message)
     select event, instance, organization, generation, $6, 'by ' || $5 from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[]) as r (instance, organization, generation, event)`,
    [...columns, tx.scope.actor, kind],
  );
  await tx.sql(
    `-- renewInstances: in line
     insert into gitops_outbox (id, instance_id, organization_id, generation, actor)
     select entry, instance, organization, generation, $5 from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[]) as r (instance, organization, generation, entry)`,
    [...columns.slice(0, 3), renewed.map(() => uuidv7()), tx.scope.actor],
  );
  await tx.sql(
    `-- renewInstances: tell
     select pg_notify('control_plane_desired', 'desired'), pg_notify('control_plane_instance', id::text) from unnest($1::uuid[]) as r (id)`,
    [columns[0]],
  );
}
