import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { EngineSpec } from '../engines/engine.ts';
import type { Condition } from './condition.ts';
import type { KnowledgeBase } from './knowledge-base.ts';
import { columns } from './knowledge-bases.store.ts';
import type { ProjectLimits } from './project-limits.ts';

/** What Git is to hold of a base. */
export interface DesiredState {
  readonly knowledgeBaseId: Uuid;
  readonly generation: number;
  readonly organizationId: Uuid;
  readonly organizationSlug: string;
  readonly projectId: Uuid;
  readonly projectSlug: string;
  readonly phase: 'Active' | 'Deleted';
  readonly name: string;
  readonly language: string | null;
  readonly engine: EngineSpec;
  readonly limits: { readonly documents: number; readonly bytes: number };
  readonly actor: string;
}

const desired = `b.id as "knowledgeBaseId", b.desired_generation as generation, b.organization_id as "organizationId", b.organization_slug as "organizationSlug",
  b.project_id as "projectId", b.project_slug as "projectSlug", b.desired_phase as phase, b.name, b.language, b.engine,
  json_build_object('documents', b.max_documents, 'bytes', b.max_bytes) as limits`;

/** Puts the desired generations of bases in line for Git. */
export async function putInLine(tx: Tx, bases: readonly { readonly id: Uuid }[]): Promise<void> {
  await tx.sql(
    `-- putInLine
     insert into gitops_outbox (id, knowledge_base_id, organization_id, generation, actor)
     select entry, b.id, b.organization_id, b.desired_generation, $3 from unnest($1::uuid[], $2::uuid[]) as r (id, entry) join knowledge_base b on b.id = r.id`,
    [bases.map(({ id }) => id), bases.map(() => uuidv7()), tx.scope.actor],
  );
}

/** Bases of a project whose limits are other ones now are desired anew; to be asked under its lock. */
export async function renewLimits(tx: Tx, projectId: Uuid, limits: ProjectLimits): Promise<void> {
  const renewed = await tx.sql<{ id: Uuid }>(
    `-- renewLimits
     update knowledge_base set max_documents = $2, max_bytes = $3, desired_generation = desired_generation + 1
     where project_id = $1 and desired_phase = 'Active' and (max_documents, max_bytes) is distinct from ($2, $3) returning id`,
    [projectId, limits.documents, limits.bytes],
  );
  if (renewed.length) await putInLine(tx, renewed);
}

/**
 * Takes up to `limit` desired states for half a minute; older generations of the same base are dropped, since Git needs only the last. One writer at a time
 * claims: what a former one had goes to the next at once, and what this one lost comes back by time.
 */
export async function claimDesired(
  tx: Tx,
  { limit, writerId }: { limit: number; writerId: string },
): Promise<(DesiredState & { readonly outboxId: Uuid })[]> {
  await tx.sql(
    `-- claimDesired: superseded
     delete from gitops_outbox g using knowledge_base b where b.id = g.knowledge_base_id and g.generation < b.desired_generation
       and (g.claimed_until is null or g.claimed_until < now() or g.claimed_by is distinct from $1)`,
    [writerId],
  );
  return tx.sql<DesiredState & { outboxId: Uuid }>(
    `-- claimDesired
     with due as (
       select id from gitops_outbox where claimed_until is null or claimed_until < now() or claimed_by is distinct from $2
       order by id limit $1 for update skip locked
     ), taken as (
       update gitops_outbox g set claimed_until = now() + interval '30 seconds', claimed_by = $2 from due where g.id = due.id returning g.*
     )
     select t.id as "outboxId", t.actor, ${desired} from taken t join knowledge_base b on b.id = t.knowledge_base_id order by t.id`,
    [limit, writerId],
  );
}

export async function forgetDesired(tx: Tx, outboxIds: readonly Uuid[]): Promise<void> {
  await tx.sql('-- forgetDesired\n delete from gitops_outbox where id = any ($1)', [outboxIds]);
}

/**
 * Git should hold it: nothing of it is in line, and its folder is not on its way out. One that has been on its way for an hour is written once more, so that
 * it is seen to go.
 */
const isSettled = `b.removed_at is null and not exists (select from gitops_outbox g where g.knowledge_base_id = b.id)
  and (b.desired_phase = 'Active' or b.observed_generation < b.desired_generation or b.observed_at < now() - interval '1 hour')`;

/** Desired states that Git should have by now, in order of their bases' ids. */
export const settledDesired = (tx: Tx, page: { after: Uuid | null; limit: number }) =>
  tx.sql<DesiredState>(
    `-- settledDesired
     select 'system:sweep' as actor, ${desired} from knowledge_base b where ${isSettled} and ($1::uuid is null or b.id > $1) order by b.id limit $2`,
    [page.after, page.limit],
  );

/** Puts a generation in line for Git once more, when it is still the newest one and should be there. */
export async function queueAgain(tx: Tx, item: { id: Uuid; generation: number }): Promise<void> {
  await tx.sql(
    `-- queueAgain
     insert into gitops_outbox (id, knowledge_base_id, organization_id, generation, actor)
     select $1, b.id, b.organization_id, b.desired_generation, $4 from knowledge_base b where b.id = $2 and b.desired_generation = $3 and ${isSettled}
     on conflict do nothing`,
    [uuidv7(), item.id, item.generation, tx.scope.actor],
  );
}

export async function lockKnowledgeBase(tx: Tx, id: Uuid): Promise<KnowledgeBase | undefined> {
  const [row] = await tx.sql<KnowledgeBase>(
    `-- lockKnowledgeBase\n select ${columns} from knowledge_base where id = $1 for update`,
    [id],
  );
  return row;
}

export async function writeConditions(tx: Tx, id: Uuid, conditions: readonly Condition[]): Promise<void> {
  await tx.sql('-- writeConditions\n update knowledge_base set conditions = $2 where id = $1', [
    id,
    JSON.stringify(conditions),
  ]);
}

/** All that is applied of the desired generation is ready. A base that was being made is READY from now on. */
export async function markObserved(tx: Tx, id: Uuid): Promise<void> {
  await tx.sql(
    `-- markObserved
     update knowledge_base set observed_generation = desired_generation, observed_at = now(), state = case when state = 'PROVISIONING' then 'READY' else state end where id = $1`,
    [id],
  );
}

/** Nothing of it is applied any longer: what its documents left, and then itself, is the sweep's. */
export async function markRemoved(tx: Tx, id: Uuid): Promise<void> {
  // Documents first, as everybody does who changes one.
  await tx.sql(
    `-- markRemoved: documents\n update document set purge_at = now() where knowledge_base_id = $1 and deleted_at is not null and purge_at is null`,
    [id],
  );
  await tx.sql(
    `-- markRemoved\n update knowledge_base set removed_at = coalesce(removed_at, now()) where id = $1`,
    [id],
  );
  await tx.sql("-- markRemoved: wake\n select pg_notify('rag_document', 'sweep')");
}
