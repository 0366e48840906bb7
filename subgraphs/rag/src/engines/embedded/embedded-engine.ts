import { narrowScope, systemScope } from '@agentstore/kernel/access';
import type { Database, Tx } from '@agentstore/kernel/db/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Log } from '@agentstore/kernel/log';
import { done, refused } from '@agentstore/kernel/outcome';
import { extract, type ExtractionBounds } from '../../extraction/extract.ts';
import { ExtractionError, type ExtractionLimits, type Page } from '../../extraction/extracted-page.ts';
import type { Citation, Ingest, KnowledgeEngine, Search, Tenancy } from '../engine.ts';
import { chunkPages, type Chunk } from './chunk-pages.ts';
import { detectLanguage } from './detect-language.ts';
import type { Embedder } from './embedder.ts';
import { fuseRankings } from './fuse-rankings.ts';
import * as index from './index.store.ts';

export interface EmbeddedEngineDeps {
  /** With the schema `rag` as its search path. */
  readonly database: Database;
  /** A second signal beside words; undefined: words alone. */
  readonly embedder: Embedder | undefined;
  readonly limits: ExtractionLimits & { readonly fileBytes: number };
  readonly extraction: ExtractionBounds;
  readonly search: SearchBounds;
  readonly log: Log;
}

/** What a search looks at, however large the base is. */
export interface SearchBounds {
  /** Most chunks that are ranked by their words. */
  readonly candidates: number;
  /** Up to so many chunks the vectors of a whole base are looked at; in a larger one those of the candidates. */
  readonly wholeBaseVectors: number;
  /** How long the vector of a query is waited for; without it words alone answer. */
  readonly embedMs: number;
}

/** Most passages of an answer, and so of each ranking that it is fused from. */
const mostCitations = 50;
const nearVectors = 100;
/** What is fused has at least this part of the best score of its ranking. */
const strong = 0.5;
const chunksPerInsert = 200;
const chunksPerDelete = 5_000;
/** Where reading and embedding end in the progress of an ingest. */
const read = 0.5;
const embedded = 0.9;

/** Knowledge bases in our own PostgreSQL: words, likeness of words, and vectors when there is an embedder. */
export function createEmbeddedEngine(deps: EmbeddedEngineDeps): KnowledgeEngine {
  const { database, embedder, log } = deps;
  const model = embedder && `${embedder.model}/${embedder.dimensions}`;
  const inTenancy = <T>({ organizationId }: Tenancy, work: (tx: Tx) => Promise<T>): Promise<T> =>
    database.transaction(narrowScope(systemScope('knowledge-engine'), organizationId), work);

  async function readPages(work: Ingest): Promise<Page[]> {
    const bytes = await collect(await work.bytes(), deps.limits.fileBytes, work.signal);
    return extract({ bytes, contentType: work.contentType, limits: deps.limits }, deps.extraction, {
      signal: work.signal,
      onPage: (part) => work.onProgress(read * part),
    });
  }

  async function embedChunks(work: Ingest, chunks: readonly Chunk[]): Promise<index.NewChunk[]> {
    const whole: index.NewChunk[] = [];
    for (let from = 0; from < chunks.length; from += chunksPerInsert) {
      const some = chunks.slice(from, from + chunksPerInsert);
      const vectors = await embedder?.embed(some.map(meaningOf), work.signal);
      whole.push(...some.map((chunk, at) => ({ ...chunk, vector: vectors?.[at] })));
      work.onProgress(read + (embedded - read) * (whole.length / chunks.length));
    }
    return whole;
  }

  /** The vector of a query, when it comes in time: it is a second signal, and the first is here. */
  const embedQuery = async (query: string): Promise<Float32Array | undefined> => {
    try {
      return (await embedder?.embed([query], AbortSignal.timeout(deps.search.embedMs)))?.[0];
    } catch (error) {
      log.warn({ err: error }, 'a query has no vector; its words alone are searched for');
      return undefined;
    }
  };

  return {
    ready: () =>
      database.statement('ready', 'select 1').then(
        () => true,
        () => false,
      ),

    specOf: () => ({ kind: 'Embedded' }),

    async createBase(base) {
      await inTenancy(base, (tx) => index.insertBase(tx, base));
    },

    async deleteBase(base) {
      while (await inTenancy(base, (tx) => index.deleteSomeOfBase(tx, base, chunksPerDelete)));
    },

    async ingest(work) {
      const isThere = await inTenancy(work, (tx) => index.holdBase(tx, work));
      if (!isThere) return refused(noBase);
      let pages: Page[];
      try {
        pages = await readPages(work);
      } catch (error) {
        if (!(error instanceof ExtractionError)) throw error;
        return refused({ code: error.code, message: error.message });
      }
      const chunks = await embedChunks(work, chunkPages(pages));
      const detected = detectLanguage(chunks.map(({ text }) => text).join('\n'));
      const stored = await inTenancy(work, async (tx) => {
        const base = await index.holdBase(tx, work);
        if (!base) return undefined;
        const language = base.language ?? detected;
        const ingestId = uuidv7();
        await index.putDocument(tx, work);
        for (let from = 0; from < chunks.length; from += chunksPerInsert) {
          work.signal.throwIfAborted();
          const some = chunks.slice(from, from + chunksPerInsert);
          await index.insertChunks(tx, work, { ingestId, language, model }, some);
        }
        const count = await index.swapChunks(tx, work, ingestId, language);
        work.signal.throwIfAborted();
        return count;
      });
      if (stored === undefined) return refused(noBase);
      work.onProgress(1);
      return done({ chunks: stored });
    },

    async deleteDocument(document) {
      await inTenancy(document, (tx) => index.deleteDocument(tx, document));
    },

    async search(search) {
      if (!/[\p{L}\p{N}]/u.test(search.query)) return []; // signs have no words, though some model would make a vector of them
      const vector = await embedQuery(search.query);
      return inTenancy(search, async (tx) => {
        const { candidates, wholeBaseVectors: whole } = deps.search;
        const words = await index.rankByWords(tx, search, { candidates, limit: nearVectors });
        const ranked =
          vector && model
            ? fuse(
                words,
                await index.rankByVector(
                  tx,
                  search,
                  { model, vector },
                  { among: words.map(({ id }) => id), whole, limit: nearVectors },
                ),
              )
            : words;
        return cite(tx, search, ranked);
      });
    },
  };
}

const fuse = (...rankings: { id: string; score: number }[][]): { id: string; score: number }[] =>
  fuseRankings(rankings.map(strongest));

/** Without the tail: what is found only by a word that is everywhere would gain from being in both rankings. */
const strongest = (ranking: readonly { id: string; score: number }[]): string[] =>
  ranking
    .filter(({ score }) => score >= strong * (ranking[0]?.score ?? 0))
    .slice(0, mostCitations)
    .map(({ id }) => id);

async function cite(
  tx: Tx,
  { limit }: Search,
  ranked: readonly { id: string; score: number }[],
): Promise<Citation[]> {
  const best = ranked.slice(0, limit);
  const chunks = await index.readCitations(
    tx,
    best.map(({ id }) => id),
  );
  return best.flatMap(({ id, score }) => {
    const chunk = chunks.find(({ chunkId }) => chunkId === id);
    return chunk ? [{ ...chunk, score }] : [];
  });
}

/** What a chunk is about: without its headings "the second one lasts four years" could be about anything. */
const meaningOf = ({ headings, text }: Chunk): string => `${headings.join(' › ')}\n${text}`;

const noBase = { code: 'BASE_NOT_FOUND', message: 'The knowledge base is not there.' } as const;

async function collect(
  stream: AsyncIterable<Uint8Array>,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    signal.throwIfAborted();
    size += piece.length;
    if (size > most)
      throw new ExtractionError(
        'FILE_TOO_LARGE',
        `The file is larger than the ${most} bytes that are allowed.`,
      );
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}
