import type { Uuid } from '@agentstore/kernel/ids';
import type { Outcome, Refusal } from '@agentstore/kernel/outcome';

/** Text search configurations that a base can be set to; `simple` knows no stop words and no stems. */
export const languages = ['english', 'german', 'french', 'spanish', 'simple'] as const;
export type Language = (typeof languages)[number];

/** Whose a base is. Every call names it, and an engine answers nothing for a base that is somebody else's. */
export interface Tenancy {
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
}

/** A knowledge base as an engine is asked about it. */
export interface Base extends Tenancy {
  readonly knowledgeBaseId: Uuid;
}

/** A document of a base. */
export interface BaseDocument extends Base {
  readonly documentId: Uuid;
}

export interface NewBase extends Base {
  /** 1–128 characters, for people who look into the engine. */
  readonly name: string;
  /** Of its documents; null: found out for each. */
  readonly language: Language | null;
}

/** What the desired state in Git says of the engine that keeps a base. */
export type EngineSpec =
  | { readonly kind: 'Embedded' }
  | {
      readonly kind: 'Ragflow';
      /** Of the dataset that is the base, 1–128 characters. */
      readonly datasetName: string;
      readonly chunkMethod: 'naive';
      readonly parser: {
        readonly autoKeywords: number;
        readonly autoQuestions: number;
        readonly raptor: boolean;
        readonly graphrag: boolean;
      };
    };

/** One attempt to make a document searchable. */
export interface Ingest extends BaseDocument {
  /** As it was uploaded, with its ending. */
  readonly name: string;
  /** Without parameters: `application/pdf`, not `text/plain; charset=…`. */
  readonly contentType: string;
  /** The file from its beginning; each call reads it anew. */
  readonly bytes: () => Promise<AsyncIterable<Uint8Array>>;
  /** Ends the attempt: `ingest` then throws the signal's reason, and what was searchable before stays so. */
  readonly signal: AbortSignal;
  /** How far it is, 0…1, never less than the last time. */
  readonly onProgress: (progress: number) => void;
}

/** Why a document cannot be made searchable: the same file will fail again, unless the code says otherwise. */
export const ingestFailures = [
  /** It needs a password. */
  'FILE_ENCRYPTED',
  /** It cannot be read as what it says it is. */
  'FILE_BROKEN',
  /** More bytes, pages or text than the limits. */
  'FILE_TOO_LARGE',
  /** It unpacks to more than it has a reason to. */
  'ZIP_BOMB',
  /** Its bytes are of another kind than its content type. */
  'TYPE_MISMATCH',
  /** Not a kind of file that can be read. */
  'TYPE_UNSUPPORTED',
  /** Nothing to search in: a scan, or an empty file. */
  'NO_TEXT',
  /** Reading it took too long. */
  'EXTRACTION_TIMEOUT',
  /** Reading it took too much memory. */
  'EXTRACTION_MEMORY',
  /** The engine did not come to an end with it, also not when it was asked again. */
  'ENGINE_STUCK',
  /** The engine gave up on it. Another attempt may do better. */
  'ENGINE_FAILED',
  /** The base is not there, or is somebody else's. */
  'BASE_NOT_FOUND',
] as const;
export type IngestFailure = (typeof ingestFailures)[number];

export interface IngestRefusal extends Refusal {
  readonly code: IngestFailure;
}

export interface Search extends Base {
  /** What somebody asks, in words: 1–1,000 characters. */
  readonly query: string;
  /** Most citations, 1–50. */
  readonly limit: number;
  /** Only these documents; all of the base when absent. */
  readonly documents?: readonly Uuid[];
}

/** A passage of a document that answers a query. */
export interface Citation {
  readonly documentId: Uuid;
  readonly documentName: string;
  /** The engine's own; the same passage has the same id until its document is ingested again. */
  readonly chunkId: string;
  readonly text: string;
  /** 0…1, comparable within one answer only. */
  readonly score: number;
  /** From 1, where the text begins; null for formats without pages. */
  readonly page: number | null;
}

/**
 * What makes documents searchable. A refusal is an outcome; an engine that is away throws UnavailableError, and every method may be called again after
 * that. `conformance.ts` says what holds for all of them.
 */
export interface KnowledgeEngine {
  /** Whether it would answer now; never throws. */
  ready(): Promise<boolean>;
  /** What it is, and with which settings it would keep a base; the same for the same base and settings. */
  specOf(base: Base): EngineSpec;
  /** Makes a base, once: again is fine. */
  createBase(base: NewBase): Promise<void>;
  /** Removes a base with everything in it; one that is not there is fine. */
  deleteBase(base: Base): Promise<void>;
  /**
   * Makes a document searchable under its id, in place of what it was before; until that is whole, the old passages answer. A document that is deleted
   * while it is ingested may come back: whoever deletes ends the attempt, waits for it, and deletes then.
   */
  ingest(work: Ingest): Promise<Outcome<{ readonly chunks: number }, IngestRefusal>>;
  /** Removes a document's passages; one that is not there is fine. */
  deleteDocument(document: BaseDocument): Promise<void>;
  /** The best passages, best first; none for a base that is not there or is somebody else's. */
  search(search: Search): Promise<Citation[]>;
}
