import { createHash } from 'node:crypto';
import * as operations from '../../infra/dev/main-job/knowledge-operations.ts';
import type { Data } from '../setup/graph-data.ts';
import { persistently, until } from '../setup/persistently.ts';
import { accept } from './follow-run.ts';
import type { Job } from './milestones.ts';

/** What the part with knowledge was promised. */
export interface PromisedKnowledge {
  readonly knowledgeBaseId: string;
  /** READY, unless its base was removed. */
  readonly documentId: string;
  readonly isRemoved: boolean;
}

/** When the base is removed again. */
export type Removal = 'never' | 'while it is read' | 'when it is READY';

/** Makes a knowledge base with one document in it, and removes it or not. */
export async function knowledgePart(
  job: Job,
  { name, projectId, remove }: { name: string; projectId: string; remove: Removal },
): Promise<PromisedKnowledge> {
  const { graph, reached } = job;
  const former = await persistently('former knowledge bases', async () => {
    const { project } = await graph.query<Data>(operations.knowledgeBases, { projectId });
    return project.knowledgeBases.edges.map(({ node }) => node);
  });
  // Whoever comes again makes room: a project may have two.
  for (const { id, state } of former) if (state !== 'DELETING') await removeBase(job, id);
  const knowledgeBaseId = await persistently('knowledge base', async () => {
    const { knowledgeBaseCreate } = await graph.query<Data>(operations.knowledgeBaseCreate, {
      input: { projectId, name: `Terms of ${name}`, idempotencyKey: `knowledge of ${name}` },
    });
    accept(knowledgeBaseCreate.errors);
    return knowledgeBaseCreate.knowledgeBase!.id;
  });
  await until('the knowledge base is READY', async () => {
    const { knowledgeBase } = await graph.query<Data>(
      'query ($id: ID!) { knowledgeBase(id: $id) { state } }',
      {
        id: knowledgeBaseId,
      },
    );
    return knowledgeBase?.state === 'READY' || undefined;
  });
  const bytes = Buffer.from(`# Terms of ${name}\n\nGoods can be sent back within thirty days.\n`);
  const documentId = await until('the document is uploaded', async () => {
    const { documentUploadInit } = await graph.query<Data>(operations.documentUploadInit, {
      input: {
        knowledgeBaseId,
        name: 'terms.md',
        contentType: 'text/markdown',
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
    });
    accept(documentUploadInit.errors);
    const { url, method, headers } = documentUploadInit.upload!;
    const { ok } = await fetch(url, {
      method,
      headers: Object.fromEntries(headers.map((header) => [header.name, header.value])),
      body: bytes,
      signal: AbortSignal.timeout(8_000),
    });
    return ok ? documentUploadInit.document!.id : undefined;
  });
  reached('uploaded');
  await persistently('ingest', async () => {
    const { documentIngest } = await graph.query<Data>(operations.documentIngest, { input: { documentId } });
    accept(documentIngest.errors);
  });
  if (remove !== 'while it is read')
    await until('the document is READY', async () => {
      const { project } = await graph.query<Data>(operations.knowledgeBases, { projectId });
      const documents = project.knowledgeBases.edges.flatMap(({ node }) => node.documents.edges);
      return documents.some(({ node: { id, state } }) => id === documentId && state === 'READY') || undefined;
    });
  if (remove !== 'never') await removeBase(job, knowledgeBaseId);
  return { knowledgeBaseId, documentId, isRemoved: remove !== 'never' };
}

const removeBase = ({ graph }: Job, knowledgeBaseId: string): Promise<void> =>
  persistently('remove', async () => {
    const { knowledgeBaseDelete } = await graph.query<Data>(
      'mutation ($id: ID!) { knowledgeBaseDelete(input: { knowledgeBaseId: $id }) { errors { code message } } }',
      { id: knowledgeBaseId },
    );
    // Of one that is gone already the answer to the first try was lost.
    accept(knowledgeBaseDelete.errors.filter(({ code }) => code !== 'KNOWLEDGE_BASE_NOT_FOUND'));
  });
