import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Base, BaseDocument } from '../engine.ts';

/** Which document at Ragflow is searched for one of ours. */
export interface SearchedDocument {
  readonly documentId: Uuid;
  readonly name: string;
  readonly hasPages: boolean;
  readonly ragflowId: string;
}

const keysOf = (base: Base) => [base.knowledgeBaseId, base.organizationId, base.projectId];

export async function insertBase(tx: Tx, base: Base): Promise<void> {
  await tx.sql(
    `-- insertBase
     insert into ragflow_base (knowledge_base_id, organization_id, project_id) values ($1, $2, $3)
     on conflict (knowledge_base_id) do nothing`,
    keysOf(base),
  );
}

/** Undefined when the base is not there or is somebody else's. Until the transaction ends it is not deleted. */
export async function holdBase(tx: Tx, base: Base): Promise<{ datasetId: string | null } | undefined> {
  const [held] = await tx.sql<{ datasetId: string | null }>(
    `-- holdBase
     select dataset_id as "datasetId" from ragflow_base
     where knowledge_base_id = $1 and organization_id = $2 and project_id = $3 for key share`,
    keysOf(base),
  );
  return held;
}

/** Notes the dataset of a base that has none. Answers the one it has then, or undefined when the base is gone. */
export async function keepDataset(tx: Tx, base: Base, datasetId: string): Promise<string | undefined> {
  const [kept] = await tx.sql<{ datasetId: string }>(
    `-- keepDataset
     update ragflow_base set dataset_id = coalesce(dataset_id, $4)
     where knowledge_base_id = $1 and organization_id = $2 and project_id = $3 returning dataset_id as "datasetId"`,
    [...keysOf(base), datasetId],
  );
  return kept?.datasetId;
}

export async function deleteDocuments(tx: Tx, base: Base): Promise<void> {
  await tx.sql(
    `-- deleteDocuments
     delete from ragflow_document where knowledge_base_id = $1`,
    [base.knowledgeBaseId],
  );
}

export async function deleteBase(tx: Tx, base: Base): Promise<void> {
  await tx.sql(
    `-- deleteBase
     delete from ragflow_base where knowledge_base_id = $1 and organization_id = $2 and project_id = $3`,
    keysOf(base),
  );
}

/** From now on this one is searched for the document. */
export async function putDocument(tx: Tx, base: Base, document: SearchedDocument): Promise<void> {
  await tx.sql(
    `-- putDocument
     insert into ragflow_document (document_id, knowledge_base_id, organization_id, name, has_pages, ragflow_id)
     values ($1, $2, $3, $4, $5, $6) on conflict (document_id) do update
     set name = excluded.name, has_pages = excluded.has_pages, ragflow_id = excluded.ragflow_id`,
    [
      document.documentId,
      base.knowledgeBaseId,
      base.organizationId,
      document.name,
      document.hasPages,
      document.ragflowId,
    ],
  );
}

export async function deleteDocument(tx: Tx, document: BaseDocument): Promise<void> {
  await tx.sql(
    `-- deleteDocument
     delete from ragflow_document where document_id = $1 and knowledge_base_id = $2`,
    [document.documentId, document.knowledgeBaseId],
  );
}

/** The searched ones of a base, with its dataset; of these alone where they are named. None for a base that is somebody else's. */
export const readDocuments = (
  tx: Tx,
  base: Base,
  documents: readonly Uuid[] | undefined,
): Promise<(SearchedDocument & { readonly datasetId: string })[]> =>
  tx.sql(
    `-- readDocuments
     select d.document_id as "documentId", d.name, d.has_pages as "hasPages", d.ragflow_id as "ragflowId", b.dataset_id as "datasetId"
     from ragflow_document d join ragflow_base b using (knowledge_base_id)
     where b.knowledge_base_id = $1 and b.organization_id = $2 and b.project_id = $3 and ($4::uuid[] is null or d.document_id = any ($4))
     order by d.document_id`,
    [...keysOf(base), documents ?? null],
  );
