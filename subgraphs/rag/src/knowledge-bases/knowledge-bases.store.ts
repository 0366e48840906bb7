import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import type { Uuid } from '@agentstore/kernel/ids';
import type { EngineSpec, Language } from '../engines/engine.ts';
import type { KnowledgeBase } from './knowledge-base.ts';
import type { ProjectLimits } from './project-limits.ts';

export const columns = `id, organization_id as "organizationId", project_id as "projectId", name, language, state, engine, desired_phase as "desiredPhase",
  desired_generation as "desiredGeneration", observed_generation as "observedGeneration", conditions, revision, created_at as "createdAt"`;

export const knowledgeBasesByIds = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<KnowledgeBase>(
    `-- knowledgeBasesByIds\n select ${columns} from knowledge_base where id = any ($1)`,
    [ids],
  );

/** Of a project, oldest first. */
export const knowledgeBasesOf = (tx: Tx, projectId: Uuid, page: PageRequest) =>
  tx.sql<KnowledgeBase>(
    `-- knowledgeBasesOf
     select ${columns} from knowledge_base where project_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [projectId, page.afterKey, page.first + 1],
  );

/** Those of a project that answer, oldest first. */
export const readyKnowledgeBases = (tx: Tx, projectId: Uuid, limit: number) =>
  tx.sql<KnowledgeBase>(
    `-- readyKnowledgeBases
     select ${columns} from knowledge_base where project_id = $1 and state = 'READY' order by id limit $2`,
    [projectId, limit],
  );

/** Until the transaction ends, nobody else counts and adds what the project holds. */
export async function lockQuota(tx: Tx, projectId: Uuid): Promise<void> {
  await tx.sql(`-- lockQuota\n select pg_advisory_xact_lock(hashtextextended('rag.quota:' || $1, 0))`, [
    projectId,
  ]);
}

/** Bases of a project that count against its quota; to be asked under its lock. */
export async function countKnowledgeBases(tx: Tx, projectId: Uuid): Promise<number> {
  const [row] = await tx.sql<{ bases: number }>(
    `-- countKnowledgeBases\n select count(*)::int as bases from knowledge_base where project_id = $1 and state <> 'DELETING'`,
    [projectId],
  );
  return row!.bases;
}

/** The base that was made under a key, and what was asked for then. */
export async function knowledgeBaseUnderKey(
  tx: Tx,
  organizationId: Uuid,
  idempotencyKey: string,
): Promise<(KnowledgeBase & { readonly requestHash: string }) | undefined> {
  const [row] = await tx.sql<KnowledgeBase & { requestHash: string }>(
    `-- knowledgeBaseUnderKey
     select ${columns}, request_hash as "requestHash" from knowledge_base where organization_id = $1 and idempotency_key = $2`,
    [organizationId, idempotencyKey],
  );
  return row;
}

export interface NewKnowledgeBase {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly name: string;
  readonly language: Language | null;
  readonly idempotencyKey: string;
  readonly requestHash: string;
  readonly engine: EngineSpec;
  readonly limits: ProjectLimits;
}

export async function insertKnowledgeBase(tx: Tx, made: NewKnowledgeBase): Promise<KnowledgeBase> {
  const [row] = await tx.sql<KnowledgeBase>(
    `-- insertKnowledgeBase
     insert into knowledge_base (id, organization_id, project_id, name, language, idempotency_key, request_hash, engine, organization_slug, project_slug, max_documents, max_bytes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${columns}`,
    [
      made.id,
      made.organizationId,
      made.projectId,
      made.name,
      made.language,
      made.idempotencyKey,
      made.requestHash,
      JSON.stringify(made.engine),
      made.limits.organizationSlug,
      made.limits.projectSlug,
      made.limits.documents,
      made.limits.bytes,
    ],
  );
  return row!;
}

/** Takes the making of a base for half a minute; false while somebody else has it, or it is not yet the time to try again. */
export async function beginMaking(tx: Tx, id: Uuid): Promise<boolean> {
  const rows = await tx.sql(
    `-- beginMaking
     update knowledge_base set due_at = now() + interval '30 seconds' where id = $1 and state in ('PROVISIONING', 'READY') and due_at <= now() returning id`,
    [id],
  );
  return rows.length > 0;
}

export async function endMaking(tx: Tx, id: Uuid): Promise<void> {
  await tx.sql('-- endMaking\n update knowledge_base set due_at = now(), tries = 0 where id = $1', [id]);
}

/** It did not work: again later, each time later still; making one is given up after `tries`, removing one never. */
export async function noteFault(tx: Tx, id: Uuid, tries: number): Promise<void> {
  await tx.sql(
    `-- noteFault
     update knowledge_base set tries = tries + 1, due_at = now() + least(60, 2 ^ (tries + 1)) * interval '1 second',
       state = case when state = 'PROVISIONING' and tries + 1 >= $2 then 'FAILED' else state end where id = $1`,
    [id, tries],
  );
}

/** Nothing of it is found or taken in any more, and it is desired to be gone; answers whether that is new. What it owns stays until nothing of it is in Git. */
export async function markDeleting(tx: Tx, id: Uuid): Promise<boolean> {
  // Documents first, as everybody does who changes one: whose change waits for the base's row holds its document's.
  await tx.sql(
    `-- markDeleting: documents
     update document set deleted_at = now() where knowledge_base_id = $1 and deleted_at is null`,
    [id],
  );
  const rows = await tx.sql(
    `-- markDeleting
     update knowledge_base set state = 'DELETING', desired_phase = 'Deleted', desired_generation = desired_generation + 1
     where id = $1 and desired_phase = 'Active' returning id`,
    [id],
  );
  return rows.length > 0;
}

/** Bases of which nothing is in Git and no document is left. */
export const dueKnowledgeBases = (tx: Tx, limit: number) =>
  tx.sql<KnowledgeBase>(
    `-- dueKnowledgeBases
     select ${columns} from knowledge_base b where removed_at is not null and due_at <= now()
       and not exists (select from document d where d.knowledge_base_id = b.id) order by due_at limit $1`,
    [limit],
  );

export async function removeKnowledgeBase(tx: Tx, id: Uuid): Promise<void> {
  await tx.sql(
    `-- removeKnowledgeBase
     delete from knowledge_base b where id = $1 and removed_at is not null and not exists (select from document d where d.knowledge_base_id = b.id)`,
    [id],
  );
}

/** What a base holds. */
export interface Holdings {
  readonly id: Uuid;
  readonly chunks: number;
  readonly bytes: bigint;
}

/** Of bases that hold anything. */
export const holdingsOf = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Holdings>(
    `-- holdingsOf
     select knowledge_base_id as id, sum(chunk_count)::int as chunks, sum(size_bytes)::bigint as bytes
     from document where knowledge_base_id = any ($1) and deleted_at is null group by 1`,
    [ids],
  );
