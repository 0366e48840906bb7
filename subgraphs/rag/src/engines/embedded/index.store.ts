import { onlyOrganization } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Base, BaseDocument, Citation, Language, NewBase, Search } from '../engine.ts';
import type { Chunk } from './chunk-pages.ts';

/** A chunk as it is kept, with its vector where there is one. */
export interface NewChunk extends Chunk {
  readonly vector: Float32Array | undefined;
}

export const insertBase = (tx: Tx, base: NewBase): Promise<object[]> =>
  tx.sql(
    `-- insertBase
     insert into indexed_base (knowledge_base_id, organization_id, project_id, language) values ($1, $2, $3, $4)
     on conflict (knowledge_base_id) do nothing`,
    [base.knowledgeBaseId, base.organizationId, base.projectId, base.language],
  );

/** The language a base was set to. Until the transaction ends the base is not deleted; undefined when it is not there. */
export async function holdBase(tx: Tx, base: Base): Promise<{ language: Language | null } | undefined> {
  const [held] = await tx.sql<{ language: Language | null }>(
    `-- holdBase
     select language from indexed_base where knowledge_base_id = $1 and organization_id = $2 and project_id = $3 for key share`,
    [base.knowledgeBaseId, base.organizationId, base.projectId],
  );
  return held;
}

/** Notes the document, whose row then keeps other attempts on it waiting. */
export async function putDocument(tx: Tx, document: BaseDocument & { name: string }): Promise<void> {
  await tx.sql(
    `-- putDocument
     insert into indexed_document (document_id, knowledge_base_id, organization_id, name) values ($1, $2, $3, $4)
     on conflict (document_id) do update set name = excluded.name`,
    [document.documentId, document.knowledgeBaseId, document.organizationId, document.name],
  );
}

/** Adds chunks of an attempt. They are found together with the old ones until `swapChunks`, so both belong into one transaction. */
export async function insertChunks(
  tx: Tx,
  document: BaseDocument,
  { ingestId, language, model }: { ingestId: Uuid; language: Language; model: string | undefined },
  chunks: readonly NewChunk[],
): Promise<void> {
  const ids = chunks.map(() => uuidv7());
  const { documentId, knowledgeBaseId, organizationId } = document;
  await tx.sql(
    `-- insertChunks
     insert into chunk (id, document_id, ingest_id, knowledge_base_id, organization_id, page, text, tsv)
     select id, $1, $2, $3, $4, page, text,
       setweight(to_tsvector($5::regconfig, headings), 'A') || setweight(to_tsvector($5::regconfig, text), 'B')
     from unnest($6::uuid[], $7::int[], $8::text[], $9::text[]) as new (id, page, headings, text)`,
    [
      documentId,
      ingestId,
      knowledgeBaseId,
      organizationId,
      language,
      ids,
      chunks.map(({ page }) => page),
      chunks.map(({ headings }) => headings.join('\n')),
      chunks.map(({ text }) => text),
    ],
  );
  if (model === undefined) return;
  const vectors = chunks.flatMap(({ vector }) => (vector ? [vector] : []));
  await tx.sql(
    `-- insertVectors
     insert into chunk_vector (chunk_id, document_id, knowledge_base_id, organization_id, model, signs, vector)
     select id, $1, $2, $3, $4, signs::bit varying, vector from unnest($5::uuid[], $6::text[], $7::bytea[]) as new (id, signs, vector)`,
    [documentId, knowledgeBaseId, organizationId, model, ids, vectors.map(signsOf), vectors.map(bytesOf)],
  );
}

/** The chunks of the attempt take the place of the document's others. Answers how many there are. */
export async function swapChunks(
  tx: Tx,
  document: BaseDocument,
  ingestId: Uuid,
  language: Language,
): Promise<number> {
  const [swapped] = await tx.sql<{ chunks: number }>(
    `-- swapChunks
     select swap_chunks($1, $2, $3) as chunks`,
    [document.knowledgeBaseId, document.documentId, ingestId],
  );
  await tx.sql(
    `-- noteLanguage
     update indexed_base set languages = languages || $2::text where knowledge_base_id = $1 and $2 <> all (languages)`,
    [document.knowledgeBaseId, language],
  );
  return swapped!.chunks;
}

/** Removes a document with its chunks, once an attempt on it has ended. */
export async function deleteDocument(tx: Tx, document: BaseDocument): Promise<void> {
  const [held] = await tx.sql(
    `-- holdDocument
     select from indexed_document d join indexed_base b using (knowledge_base_id)
     where d.document_id = $1 and d.knowledge_base_id = $2 and b.organization_id = $3 and b.project_id = $4 for update of d`,
    [document.documentId, document.knowledgeBaseId, document.organizationId, document.projectId],
  );
  if (!held) return;
  await tx.sql(
    `-- emptyDocument
     select swap_chunks($1, $2, $3)`,
    [document.knowledgeBaseId, document.documentId, uuidv7()],
  );
  await tx.sql(
    `-- deleteDocument
     delete from indexed_document where document_id = $1`,
    [document.documentId],
  );
}

/** Removes up to so many chunks of a base; answers whether there may be more. The words of the base go first, so that nothing is found any more. */
export async function deleteSomeOfBase(tx: Tx, base: Base, most: number): Promise<boolean> {
  const values = [base.knowledgeBaseId, base.organizationId, base.projectId];
  const [held] = await tx.sql(
    `-- closeBase
     update indexed_base set languages = '{}', chunks = 0 where knowledge_base_id = $1 and organization_id = $2 and project_id = $3
     returning true as held`,
    values,
  );
  if (!held) return false;
  const gone = await tx.sql(
    `-- deleteSomeChunks
     delete from chunk where id in
       (select c.id from indexed_document d join chunk c using (document_id) where d.knowledge_base_id = $1 limit $2) returning true as gone`,
    [base.knowledgeBaseId, most],
  );
  if (gone.length === most) return true;
  const terms = await tx.sql(
    `-- deleteSomeTerms
     delete from indexed_term where knowledge_base_id = $1 and term in
       (select term from indexed_term where knowledge_base_id = $1 limit $2) returning true as gone`,
    [base.knowledgeBaseId, most],
  );
  if (terms.length === most) return true;
  await tx.sql(
    `-- deleteDocumentsOfBase
     delete from indexed_document where knowledge_base_id = $1`,
    [base.knowledgeBaseId],
  );
  await tx.sql(
    `-- deleteBase
     delete from indexed_base where knowledge_base_id = $1`,
    [base.knowledgeBaseId],
  );
  return false;
}

/** Ids of the chunks whose words answer a query best, best first, with scores 0…1. */
export const rankByWords = (
  tx: Tx,
  search: Search,
  { candidates, limit }: { candidates: number; limit: number },
): Promise<{ id: string; score: number }[]> =>
  tx.sql(
    `-- rankByWords
     select id, score from rank_chunks($1, $2, $3, $4, $5, $6, $7)`,
    [
      onlyOrganization(tx.scope),
      search.projectId,
      search.knowledgeBaseId,
      search.query,
      search.documents ?? null,
      candidates,
      limit,
    ],
  );

/** Ids of the chunks whose vectors are nearest to that of a query, nearest first. */
export async function rankByVector(
  tx: Tx,
  search: Search,
  query: { readonly model: string; readonly vector: Float32Array },
  bounds: { readonly among: readonly string[]; readonly whole: number; readonly limit: number },
): Promise<{ id: string; score: number }[]> {
  const near = await tx.sql<{ id: string; vector: Buffer }>(
    `-- rankByVector
     select id, vector from near_chunks($1, $2, $3, $4, $5::text::bit varying, $6, $7, $8, $9)`,
    [
      onlyOrganization(tx.scope),
      search.projectId,
      search.knowledgeBaseId,
      query.model,
      signsOf(query.vector),
      search.documents ?? null,
      bounds.among,
      bounds.whole,
      bounds.limit,
    ],
  );
  return near
    .map(({ id, vector }) => ({ id, score: likeness(query.vector, vector) }))
    .sort((a, b) => b.score - a.score);
}

/** Chunks as they are cited, in no order. */
export const readCitations = (tx: Tx, ids: readonly string[]): Promise<Omit<Citation, 'score'>[]> =>
  tx.sql(
    `-- readCitations
     select c.id as "chunkId", c.document_id as "documentId", d.name as "documentName", c.text, c.page
     from chunk c join indexed_document d using (document_id) where c.id = any ($1::uuid[])`,
    [ids],
  );

const signsOf = (vector: Float32Array): string => Array.from(vector, (value) => (value > 0 ? 1 : 0)).join('');

function bytesOf(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes;
}

function likeness(vector: Float32Array, bytes: Buffer): number {
  let sum = 0;
  for (const [index, value] of vector.entries()) sum += value * bytes.readFloatLE(index * 4);
  return sum;
}
