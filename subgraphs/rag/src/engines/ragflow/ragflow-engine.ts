import { narrowScope, systemScope } from '@agentstore/kernel/access';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { refused } from '@agentstore/kernel/outcome';
import type {
  BaseDocument,
  Citation,
  Ingest,
  IngestRefusal,
  KnowledgeEngine,
  Search,
  Tenancy,
} from '../engine.ts';
import { parseDocument, type ParseBounds } from './parse-document.ts';
import { RagflowRefusal } from './ragflow.http.ts';
import {
  isMissing,
  type DatasetId,
  type RagflowChunk,
  type RagflowClient,
  type Retrieval,
} from './ragflow-client.ts';
import * as store from './ragflow-documents.store.ts';

export interface RagflowEngineDeps {
  /** With the schema `rag` as its search path. */
  readonly database: Database;
  /** The engine's own from now on. */
  readonly client: RagflowClient;
  readonly bounds: ParseBounds & { readonly fileBytes: number };
  readonly log: Log;
}

/** Its parser refuses more, after an upload that succeeds. */
const mostFileBytes = 128 * 1024 ** 2;
/** Where the upload ends in the progress of an ingest, and where the parse does. */
const uploaded = 0.05;
const parsed = 0.95;

/**
 * Knowledge bases in Ragflow: a dataset each, under our id. A document is uploaded under its id too, so that what an attempt left behind is found by its name; our
 * own rows say which one of them is searched.
 */
export function createRagflowEngine({ database, client, bounds, log }: RagflowEngineDeps): KnowledgeEngine {
  const inTenancy = <T>({ organizationId }: Tenancy, work: (tx: Tx) => Promise<T>): Promise<T> =>
    database.transaction(narrowScope(systemScope('knowledge-engine'), organizationId), work);
  const most = Math.min(bounds.fileBytes, mostFileBytes);

  /** Makes the document searchable: everything but what is to be removed afterwards. */
  async function attempt(work: Ingest, dataset: DatasetId): ReturnType<KnowledgeEngine['ingest']> {
    const onProgress = neverLess(work.onProgress);
    let id: string;
    try {
      const bytes = atMost(await work.bytes(), most);
      id = await client.upload(dataset, { name: fileNameOf(work), bytes }, work.signal);
    } catch (error) {
      if (error instanceof TooLarge)
        return refused({
          code: 'FILE_TOO_LARGE',
          message: `The file is larger than the ${most} bytes that are allowed.`,
        });
      if (!(error instanceof RagflowRefusal) || !aboutFiles.has(error.code)) throw error;
      const isThere = (await client.findDataset({ id: dataset })) !== undefined;
      return refused(isThere ? refusalOf(error) : noBase);
    }
    onProgress(uploaded);
    const ended = await parseDocument(client, { dataset, id }, bounds, {
      signal: work.signal,
      onProgress: (part) => onProgress(uploaded + (parsed - uploaded) * part),
    });
    if (!ended.ok) return ended;
    const isKept = await inTenancy(work, async (tx) => {
      if (!(await store.holdBase(tx, work))) return false;
      const { documentId, name, contentType } = work;
      await store.putDocument(tx, work, {
        documentId,
        name,
        hasPages: contentType === 'application/pdf',
        ragflowId: id,
      });
      work.signal.throwIfAborted();
      return true;
    });
    if (!isKept) return refused(noBase);
    onProgress(1);
    return ended;
  }

  /** Removes what attempts on a document left at Ragflow, but not what is searched. */
  async function removeRest(document: BaseDocument, dataset: DatasetId): Promise<void> {
    const [searched] = await inTenancy(document, (tx) =>
      store.readDocuments(tx, document, [document.documentId]),
    );
    const ids = await client.documentsNamed(dataset, document.documentId);
    await client.deleteDocuments(
      dataset,
      ids.filter((id) => id !== searched?.ragflowId),
    );
  }

  /** Of all documents at once only what is there: somebody may have removed one at Ragflow, and its id would fail the whole call. */
  async function retrieve(retrieval: Retrieval): Promise<RagflowChunk[]> {
    try {
      return await client.retrieve(retrieval);
    } catch (error) {
      if (!isMissing(error)) throw error;
      const there = new Set(await client.documentsNamed(retrieval.dataset, ''));
      const documents = retrieval.documents.filter((id) => there.has(id));
      if (documents.length === retrieval.documents.length) throw error;
      return documents.length ? client.retrieve({ ...retrieval, documents }) : [];
    }
  }

  return {
    ready: () => client.isHealthy(),

    // What createDataset asks for; everything that calls a model is off.
    specOf: ({ knowledgeBaseId }) => ({
      kind: 'Ragflow',
      datasetName: knowledgeBaseId,
      chunkMethod: 'naive',
      parser: { autoKeywords: 0, autoQuestions: 0, raptor: false, graphrag: false },
    }),

    async createBase(base) {
      const held = await inTenancy(base, async (tx) => {
        await store.insertBase(tx, base);
        return store.holdBase(tx, base);
      });
      if (!held || held.datasetId !== null) return;
      const { knowledgeBaseId: name } = base;
      const dataset = (await client.findDataset({ name })) ?? (await client.createDataset(name, base.name));
      const kept = await inTenancy(base, (tx) => store.keepDataset(tx, base, dataset));
      if (kept !== dataset) await client.deleteDataset(dataset); // another call was first, or the base is gone
    },

    async deleteBase(base) {
      const held = await inTenancy(base, async (tx) => {
        const found = await store.holdBase(tx, base);
        if (found) await store.deleteDocuments(tx, base);
        return found;
      });
      if (!held) return;
      const dataset = held.datasetId ?? (await client.findDataset({ name: base.knowledgeBaseId }));
      if (dataset !== undefined) await client.deleteDataset(dataset);
      await inTenancy(base, (tx) => store.deleteBase(tx, base));
    },

    async ingest(work) {
      const dataset = (await inTenancy(work, (tx) => store.holdBase(tx, work)))?.datasetId;
      if (dataset === undefined || dataset === null) return refused(noBase);
      try {
        return await attempt(work, dataset);
      } catch (error) {
        work.signal.throwIfAborted();
        throw error;
      } finally {
        // What stays is not searched; the next attempt or the deletion removes it.
        await removeRest(work, dataset).catch((error: unknown) =>
          log.warn({ err: error, documentId: work.documentId }, 'an attempt left documents at Ragflow'),
        );
      }
    },

    async deleteDocument(document) {
      const held = await inTenancy(document, async (tx) => {
        const found = await store.holdBase(tx, document);
        if (found) await store.deleteDocument(tx, document);
        return found;
      });
      if (held?.datasetId != null) await removeRest(document, held.datasetId);
    },

    async search(search) {
      if (!/[\p{L}\p{N}]/u.test(search.query)) return [];
      const documents = await inTenancy(search, (tx) => store.readDocuments(tx, search, search.documents));
      const dataset = documents[0]?.datasetId;
      if (dataset === undefined) return [];
      const chunks = await retrieve({
        dataset,
        documents: documents.map(({ ragflowId }) => ragflowId),
        question: search.query,
        limit: search.limit,
      });
      return cite(search, documents, chunks);
    },
  };
}

/** What is not of these documents is not ours to show. */
function cite(
  { limit }: Search,
  documents: readonly store.SearchedDocument[],
  chunks: readonly RagflowChunk[],
): Citation[] {
  const byId = new Map(documents.map((document) => [document.ragflowId, document]));
  return chunks
    .flatMap((chunk) => {
      const document = byId.get(chunk.document);
      if (!document) return [];
      const { documentId, name: documentName, hasPages } = document;
      const page = hasPages ? chunk.position : null;
      return [
        { documentId, documentName, chunkId: chunk.id, text: chunk.text, score: chunk.similarity, page },
      ];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}

/** Codes with which an upload is refused for what it is: an argument, what it belongs to, its kind (as a fault of the server), and none at all. */
const aboutFiles = new Set([0, 101, 102, 500]);

const noBase = { code: 'BASE_NOT_FOUND', message: 'The knowledge base is not there.' } as const;

function refusalOf({ words }: RagflowRefusal): IngestRefusal {
  return /type of file has not been supported/i.test(words)
    ? { code: 'TYPE_UNSUPPORTED', message: 'Ragflow does not read files of this kind.' }
    : { code: 'ENGINE_FAILED', message: `Ragflow did not take the file: ${words}` };
}

const endings: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'text/markdown': 'md',
  'text/plain': 'txt',
};

/** Ragflow chooses its parser by the ending. */
function fileNameOf({ documentId, name, contentType }: Ingest): string {
  const ending = endings[contentType] ?? /\.([a-z0-9]{1,10})$/i.exec(name)?.[1] ?? 'bin';
  return `${documentId}.${ending.toLowerCase()}`;
}

function neverLess(tell: (progress: number) => void): (progress: number) => void {
  let said = 0;
  return (progress) => tell((said = Math.max(said, progress)));
}

class TooLarge extends Error {}

async function* atMost(bytes: AsyncIterable<Uint8Array>, most: number): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > most) throw new TooLarge();
    yield piece;
  }
}
