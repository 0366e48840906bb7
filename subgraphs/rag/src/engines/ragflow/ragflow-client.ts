import { z } from 'zod';
import { formOfFile } from './multipart.ts';
import { dataError, RagflowRefusal, type RagflowCalls } from './ragflow.http.ts';

/** A dataset at Ragflow, by its id. */
export type DatasetId = string;

/** A document at Ragflow. */
export interface RagflowDocument {
  readonly dataset: DatasetId;
  readonly id: string;
}

export type ParseState = 'UNSTART' | 'RUNNING' | 'CANCEL' | 'DONE' | 'FAIL';

/** How a document stands. */
export interface ParseLook {
  readonly state: ParseState;
  /** 0…1; -1 says that it failed. */
  readonly progress: number;
  readonly words: string;
  readonly chunks: number;
}

export interface RagflowChunk {
  readonly id: string;
  readonly text: string;
  /** Ragflow's id of its document. */
  readonly document: string;
  /** 0…1. */
  readonly similarity: number;
  /** Of its first position: a page for formats that have some, else a number that means nothing. */
  readonly position: number | null;
}

export interface Retrieval {
  readonly dataset: DatasetId;
  /** At least one; a single one that is not in the dataset fails the call. */
  readonly documents: readonly string[];
  readonly question: string;
  /** 1–100. */
  readonly limit: number;
}

export interface RagflowClient {
  isHealthy(): Promise<boolean>;
  /** Undefined when there is none of this name or id. */
  findDataset(by: { readonly name: string } | { readonly id: DatasetId }): Promise<DatasetId | undefined>;
  createDataset(name: string, description: string): Promise<DatasetId>;
  /** One that is not there is fine. */
  deleteDataset(id: DatasetId): Promise<void>;
  /** Throws what `bytes` throws; a file that Ragflow does not take is a RagflowRefusal. */
  upload(
    dataset: DatasetId,
    file: { readonly name: string; readonly bytes: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<string>;
  /** One that is being parsed already goes on. */
  startParse(document: RagflowDocument, signal: AbortSignal): Promise<void>;
  /** One that is not being parsed is fine. */
  stopParse(document: RagflowDocument): Promise<void>;
  /** Undefined when it is not there. */
  look(document: RagflowDocument, signal: AbortSignal): Promise<ParseLook | undefined>;
  /** Of all documents whose names hold the text; none for a dataset that is not there. */
  documentsNamed(dataset: DatasetId, part: string): Promise<string[]>;
  /** Those that are not there are fine. */
  deleteDocuments(dataset: DatasetId, ids: readonly string[]): Promise<void>;
  retrieve(retrieval: Retrieval): Promise<RagflowChunk[]>;
  close(): Promise<void>;
}

/** Most ids and rows that one call takes. */
const page = 100;
const states = ['UNSTART', 'RUNNING', 'CANCEL', 'DONE', 'FAIL'] as const;

const anything = z.unknown();
const datasetShape = z.object({ id: z.string().min(1), name: z.string() });
const uploadShape = z.array(z.object({ id: z.string().min(1) }));
/** In words or numbers; 5 is its own for one that waits. */
const runShape = z
  .union([z.string(), z.number()])
  .transform(
    (run): ParseState =>
      states.find((state, at) => String(run) === state || String(run) === String(at)) ?? 'RUNNING',
  );
const documentsShape = z.object({
  docs: z.array(
    z.object({
      id: z.string(),
      run: runShape,
      progress: z.number(),
      progress_msg: z.string().nullish(),
      chunk_count: z.number(),
    }),
  ),
});
const chunksShape = z.object({
  chunks: z.array(
    z.object({
      id: z.string(),
      content: z.string(),
      document_id: z.string(),
      similarity: z.number(),
      positions: z.array(z.array(z.number())).nullish(),
    }),
  ),
});

/** What would ask a model for each document is off, whatever the account's defaults are. */
const parserConfig = {
  auto_keywords: 0,
  auto_questions: 0,
  raptor: { use_raptor: false },
  graphrag: { use_graphrag: false },
};

/** Ragflow 0.27's calls, with what "not there" means in each; its other refusals go through. */
export function createRagflowClient(
  calls: RagflowCalls,
  bounds: { readonly uploadMs: number; readonly candidates: number },
): RagflowClient {
  const documentsAt = (dataset: DatasetId): string => `/datasets/${encodeURIComponent(dataset)}/documents`;
  const chunksAt = (dataset: DatasetId): string => `/datasets/${encodeURIComponent(dataset)}/chunks`;

  const client: RagflowClient = {
    isHealthy: () => calls.isHealthy(),

    async findDataset(by) {
      const path = `/datasets?${new URLSearchParams(by).toString()}`;
      const found = await calls.call(z.array(datasetShape), { method: 'GET', path }).catch(ifMissing([]));
      return found.find(({ id, name }) => ('id' in by ? id === by.id : name.toLowerCase() === by.name))?.id;
    },

    async createDataset(name, description) {
      const json = {
        name,
        description,
        permission: 'me',
        chunk_method: 'naive',
        parser_config: parserConfig,
      };
      return (await calls.call(datasetShape, { method: 'POST', path: '/datasets', json })).id;
    },

    async deleteDataset(id) {
      try {
        await calls.call(anything, { method: 'DELETE', path: '/datasets', json: { ids: [id] } });
      } catch (error) {
        // The same code says that it could not be deleted.
        if (!isMissing(error) || (await client.findDataset({ id })) !== undefined) throw error;
      }
    },

    async upload(dataset, { name, bytes }, signal) {
      const added = await calls.call(uploadShape, {
        method: 'POST',
        path: documentsAt(dataset),
        stream: formOfFile(name, bytes),
        deadlineMs: bounds.uploadMs,
        signal,
      });
      // Success with a message is what a part of an upload that failed looks like.
      if (!added[0]) throw new RagflowRefusal(0, 'the file was not taken');
      return added[0].id;
    },

    async startParse({ dataset, id }, signal) {
      const json = { document_ids: [id] };
      try {
        await calls.call(anything, { method: 'POST', path: chunksAt(dataset), json, signal });
      } catch (error) {
        const state = isMissing(error) ? (await client.look({ dataset, id }, signal))?.state : undefined;
        if (state !== 'RUNNING') throw error;
      }
    },

    async stopParse({ dataset, id }) {
      await calls
        .call(anything, { method: 'DELETE', path: chunksAt(dataset), json: { document_ids: [id] } })
        .catch(ifMissing(undefined));
    },

    async look({ dataset, id }, signal) {
      const path = `${documentsAt(dataset)}?${new URLSearchParams({ id }).toString()}`;
      const { docs } = await calls
        .call(documentsShape, { method: 'GET', path, signal })
        .catch(ifMissing({ docs: [] }));
      const found = docs.find((document) => document.id === id);
      return (
        found && {
          state: found.run,
          progress: found.progress,
          words: found.progress_msg ?? '',
          chunks: found.chunk_count,
        }
      );
    },

    async documentsNamed(dataset, part) {
      const ids: string[] = [];
      for (let number = 1; ; number++) {
        const query = new URLSearchParams({ keywords: part, page: String(number), page_size: String(page) });
        const path = `${documentsAt(dataset)}?${query.toString()}`;
        const { docs } = await calls
          .call(documentsShape, { method: 'GET', path })
          .catch(ifMissing({ docs: [] }));
        ids.push(...docs.map(({ id }) => id));
        if (docs.length < page) return ids;
      }
    },

    async deleteDocuments(dataset, ids) {
      for (const id of ids)
        // one by one: a single one that is not there would keep the others
        await calls
          .call(anything, { method: 'DELETE', path: documentsAt(dataset), json: { ids: [id] } })
          .catch(ifMissing(undefined));
    },

    async retrieve({ dataset, documents, question, limit }) {
      const { chunks } = await calls.call(chunksShape, {
        method: 'POST',
        path: '/retrieval',
        json: {
          question,
          dataset_ids: [dataset],
          document_ids: documents,
          page: 1,
          page_size: Math.min(limit, page),
          top_k: bounds.candidates,
          similarity_threshold: 0.2,
          vector_similarity_weight: 0.3,
          keyword: false,
          use_kg: false,
          toc_enhance: false,
          cross_languages: [],
        },
      });
      return chunks.map((chunk) => ({
        id: chunk.id,
        text: chunk.content,
        document: chunk.document_id,
        similarity: Math.min(1, Math.max(0, chunk.similarity)),
        position: chunk.positions?.[0]?.[0] ?? null,
      }));
    },

    close: () => calls.close(),
  };
  return client;
}

export const isMissing = (error: unknown): boolean =>
  error instanceof RagflowRefusal && error.code === dataError;

const ifMissing =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (isMissing(error)) return instead;
    throw error;
  };
