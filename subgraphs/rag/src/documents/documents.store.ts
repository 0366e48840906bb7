import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { KnowledgeBase } from '../knowledge-bases/knowledge-base.ts';
import type { AnnouncedFile, Document, DocumentFailure } from './document.ts';

const columns = `d.id, d.organization_id as "organizationId", d.project_id as "projectId", d.knowledge_base_id as "knowledgeBaseId", d.name,
  d.content_type as "contentType", d.size_bytes::float8 as "sizeBytes", d.sha256, d.state, d.attempt, d.progress, d.chunk_count as "chunkCount",
  d.failure, d.error, d.created_at as "createdAt", d.revision`;

export const documentsByIds = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Document>(
    `-- documentsByIds\n select ${columns} from document d where id = any ($1) and deleted_at is null`,
    [ids],
  );

/** Of a base, oldest first. */
export const documentsOf = (tx: Tx, knowledgeBaseId: Uuid, page: PageRequest) =>
  tx.sql<Document>(
    `-- documentsOf
     select ${columns} from document d where knowledge_base_id = $1 and deleted_at is null and ($2::uuid is null or id > $2) order by id limit $3`,
    [knowledgeBaseId, page.afterKey, page.first + 1],
  );

/** Of a base, changed after a revision, in that order; `undone`: without those that are READY or FAILED. */
export const changedDocuments = (
  tx: Tx,
  knowledgeBaseId: Uuid,
  o: { after: bigint; only: 'undone' | 'all'; limit: number },
) =>
  tx.sql<Document>(
    `-- changedDocuments
     select ${columns} from document d where knowledge_base_id = $1 and deleted_at is null and revision > $2
       and ($3 = 'all' or state not in ('READY', 'FAILED')) order by revision limit $4`,
    [knowledgeBaseId, o.after, o.only, o.limit],
  );

/** What a base and its project hold that counts against their quota; to be asked under the project's lock. */
export async function countDocuments(
  tx: Tx,
  { id, projectId }: KnowledgeBase,
): Promise<{ readonly documents: number; readonly bytes: number }> {
  const [row] = await tx.sql<{ documents: number; bytes: number }>(
    `-- countDocuments
     select (count(*) filter (where knowledge_base_id = $1))::int as documents, coalesce(sum(size_bytes), 0)::float8 as bytes
     from document where project_id = $2 and deleted_at is null`,
    [id, projectId],
  );
  return row!;
}

/** The same file whose upload was begun before and is awaited still: its time starts again. */
export async function renewUpload(
  tx: Tx,
  knowledgeBaseId: Uuid,
  file: AnnouncedFile,
  seconds: number,
): Promise<Document | undefined> {
  const [row] = await tx.sql<Document>(
    `-- renewUpload
     update document d set upload_until = now() + $5 * interval '1 second'
     where knowledge_base_id = $1 and name = $2 and content_type = $3 and sha256 = $4 and state = 'AWAITING_UPLOAD' and deleted_at is null returning ${columns}`,
    [knowledgeBaseId, file.name, file.contentType, file.sha256, seconds],
  );
  return row;
}

/** Takes its place in the quota from now on; undefined when the base takes nothing in any more. */
export async function insertDocument(
  tx: Tx,
  base: KnowledgeBase,
  file: AnnouncedFile,
  seconds: number,
): Promise<Document | undefined> {
  const [row] = await tx.sql<Document>(
    `-- insertDocument
     with base as (select * from knowledge_base where id = $2 and state = 'READY' for update)
     insert into document as d (id, organization_id, project_id, knowledge_base_id, name, content_type, size_bytes, sha256, upload_until)
     select $1, organization_id, project_id, id, $3, $4, $5, $6, now() + $7 * interval '1 second' from base returning ${columns}`,
    [uuidv7(), base.id, file.name, file.contentType, file.sizeBytes, file.sha256, seconds],
  );
  return row;
}

/** Begins an attempt with the bytes that are there; undefined when one is under way or done, or the document is gone. */
export async function beginAttempt(tx: Tx, id: Uuid): Promise<Document | undefined> {
  const [row] = await tx.sql<Document>(
    `-- beginAttempt
     update document d set state = 'UPLOADED', attempt = attempt + 1, tries = 0, progress = 0, failure = null, error = null, lease_until = null
     where id = $1 and state in ('AWAITING_UPLOAD', 'FAILED') and deleted_at is null returning ${columns}`,
    [id],
  );
  return row;
}

/** It is gone for everybody; what it left in the engine and in storage is the sweep's. */
export async function markDeleted(tx: Tx, id: Uuid): Promise<Document | undefined> {
  const [row] = await tx.sql<Document>(
    `-- markDeleted
     update document d set deleted_at = now(), purge_at = now() where id = $1 and deleted_at is null returning ${columns}`,
    [id],
  );
  return row;
}

/** Uploads that were not finished in their time and as long again, which one that began in time may take. */
export async function expireUploads(tx: Tx, o: { seconds: number; limit: number }): Promise<number> {
  const rows = await tx.sql<{ id: Uuid }>(
    `-- expireUploads
     with late as (
       select id from document where state = 'AWAITING_UPLOAD' and deleted_at is null and upload_until < now() - $1 * interval '1 second'
       order by upload_until limit $2 for update skip locked
     )
     update document d set deleted_at = now(), purge_at = now() from late where d.id = late.id returning d.id`,
    [o.seconds, o.limit],
  );
  return rows.length;
}

/** A deleted document, and whether somebody could still put bytes where it lay. */
export interface DeletedDocument extends Document {
  readonly uploadable: boolean;
}

/** Deleted documents that nobody is ingesting any more and whose time has come. */
export const duePurges = (tx: Tx, o: { seconds: number; limit: number }) =>
  tx.sql<DeletedDocument>(
    `-- duePurges
     select ${columns}, upload_until > now() - $1 * interval '1 second' as uploadable from document d
     where deleted_at is not null and purge_at <= now() and (lease_id is null or lease_until < now()) order by purge_at limit $2`,
    [o.seconds, o.limit],
  );

/** Removed from engine and storage for now: once more when no address for its upload can be used any longer. */
export async function purgeLater(tx: Tx, id: Uuid, seconds: number): Promise<void> {
  await tx.sql(
    `-- purgeLater\n update document set purge_at = upload_until + $2 * interval '1 second' where id = $1`,
    [id, seconds],
  );
}

export async function postponePurge(tx: Tx, id: Uuid): Promise<void> {
  await tx.sql(
    `-- postponePurge\n update document set purge_at = now() + interval '30 seconds' where id = $1`,
    [id],
  );
}

export async function removeDocument(tx: Tx, id: Uuid): Promise<void> {
  await tx.sql('-- removeDocument\n delete from document where id = $1 and deleted_at is not null', [id]);
}

/** A document that this worker ingests, until its lease runs out or is taken away. */
export interface LeasedDocument extends Document {
  readonly leaseId: Uuid;
  /** Workers that have begun this attempt, with this one. */
  readonly tries: number;
}

/**
 * Takes documents to ingest: new ones, and those whose worker died or gave them back. The projects take turns, so that one with many does not keep the
 * others waiting.
 */
export const leaseDocuments = (tx: Tx, o: { limit: number; leaseMs: number }) =>
  tx.sql<LeasedDocument>(
    `-- leaseDocuments
     with line as (
       select id, row_number() over (partition by project_id order by id) as turn from document
       where state in ('UPLOADED', 'INGESTING') and deleted_at is null and (lease_until is null or lease_until < now())
     ), due as (
       select w.id from document w join line on line.id = w.id
       where w.state in ('UPLOADED', 'INGESTING') and w.deleted_at is null and (w.lease_until is null or w.lease_until < now())
       order by line.turn, w.id limit $1 for update of w skip locked
     )
     update document d set state = 'INGESTING', lease_id = $2, lease_until = now() + $3 * interval '1 millisecond', tries = tries + 1
     from due where d.id = due.id returning ${columns}, d.lease_id as "leaseId", d.tries`,
    [o.limit, uuidv7(), o.leaseMs],
  );

/** Renews the lease and says how far it is; false when the document was deleted or is another worker's now. */
export async function keepLease(
  tx: Tx,
  { id, leaseId }: LeasedDocument,
  o: { leaseMs: number; progress: number },
): Promise<boolean> {
  const rows = await tx.sql<{ id: Uuid }>(
    `-- keepLease
     update document set lease_until = now() + $3 * interval '1 millisecond', progress = $4
     where id = $1 and lease_id = $2 and deleted_at is null returning id`,
    [id, leaseId, o.leaseMs, o.progress],
  );
  return rows.length > 0;
}

/** How an attempt ended. */
export type AttemptEnd =
  { readonly chunks: number } | { readonly failure: DocumentFailure; readonly message: string };

/** Ends the attempt, when it is still this worker's. */
export async function endAttempt(tx: Tx, { id, leaseId }: LeasedDocument, end: AttemptEnd): Promise<void> {
  const ready = 'chunks' in end;
  await tx.sql(
    `-- endAttempt
     update document set state = $3, progress = case when $3 = 'READY' then 1 else progress end, chunk_count = $4, failure = $5, error = $6, lease_id = null, lease_until = null
     where id = $1 and lease_id = $2 and deleted_at is null`,
    [
      id,
      leaseId,
      ready ? 'READY' : 'FAILED',
      ready ? end.chunks : 0,
      ready ? null : end.failure,
      ready ? null : end.message,
    ],
  );
}

/** Gives a document back: to whoever comes next, in so many seconds; `begun` says whether this worker's try counts. */
export async function handBack(
  tx: Tx,
  { id, leaseId }: LeasedDocument,
  o: { seconds: number; begun: boolean },
): Promise<void> {
  await tx.sql(
    `-- handBack
     update document set lease_id = null, lease_until = now() + $3 * interval '1 second', tries = tries - $4::int where id = $1 and lease_id = $2`,
    [id, leaseId, o.seconds, o.begun ? 0 : 1],
  );
}
