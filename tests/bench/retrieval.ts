import { narrowScope, systemScope } from '@agentstore/kernel/access';
import { uuidv7 } from '@agentstore/kernel/ids';
import { rankByVector, readCitations } from '@agentstore/rag/engines/embedded/index.store';
import type { Base, Citation, KnowledgeEngine } from '@agentstore/rag/engines/engine';
import { hashingEmbedder } from '@agentstore/rag/testing/hashing-embedder';
import { readCorpus, readQuestions, says, type CorpusFile, type Question } from './knowledge/corpus.ts';
import { openIndex, searchBounds, type BenchIndex } from './knowledge/open-index.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';
import { retrievalPage } from './retrieval-page.ts';

const depth = 10;
type Passage = Pick<Citation, 'documentName' | 'text' | 'page'>;
type Retriever = (question: string) => Promise<Passage[]>;

/** Whether questions find the passages that answer them: words, vectors, both, and what PostgreSQL does out of the box. */
export async function benchRetrieval({ say }: BenchOptions): Promise<BenchResult> {
  const index = await openIndex();
  try {
    const engine = index.engine(hashingEmbedder);
    const base = { organizationId: uuidv7(), projectId: uuidv7(), knowledgeBaseId: uuidv7() };
    await engine.createBase({ ...base, name: 'A small shop', language: null });
    const corpus = readCorpus();
    for (const file of corpus) await ingest(engine, base, file);
    const questions = readQuestions();
    say(`${questions.length} questions over ${corpus.length} documents`);

    const search =
      (searched: KnowledgeEngine): Retriever =>
      (query) =>
        searched.search({ ...base, query, limit: depth });
    const retrievers: Record<string, Retriever> = {
      full_text: search(index.engine(undefined)),
      vectors: (query) => searchVectors(index, base, query),
      fused: search(engine),
      plain: (query) => searchPlainly(index, query, `replace(plainto_tsquery($1)::text, '&', '|')::tsquery`),
      plain_all_words: (query) => searchPlainly(index, query, 'plainto_tsquery($1)'),
    };
    const figures: Record<string, number> = { questions: questions.length };
    const times: Record<string, number[]> = {};
    for (const [name, retrieve] of Object.entries(retrievers)) {
      const places = [];
      for (const question of questions) {
        const began = performance.now();
        places.push(placeOf(question, await retrieve(question.question)));
        (times[name] ??= []).push(performance.now() - began);
      }
      figures[`${name}_recall_at_5`] = mean(places.map((place) => (place <= 5 ? 1 : 0)));
      figures[`${name}_mrr`] = mean(places.map((place) => 1 / place));
      say(`  ${name}: recall@5 ${figures[`${name}_recall_at_5`]!.toFixed(3)}`);
    }
    figures['full_text_p95_ms'] = rounded(percentile(times['full_text']!, 95));
    figures['fused_p95_ms'] = rounded(percentile(times['fused']!, 95));
    const vs = (name: string): number =>
      Number((figures['fused_recall_at_5']! / figures[`${name}_recall_at_5`]!).toFixed(4));
    return {
      bench: 'retrieval',
      ratios: {
        fused_recall_vs_plain: vs('plain'),
        fused_recall_vs_plain_all_words: vs('plain_all_words'),
      },
      figures: Object.fromEntries(
        Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))]),
      ),
      machine: machine(),
      page: retrievalPage({ fullText: times['full_text']!, fused: times['fused']! }),
    };
  } finally {
    await index.close();
  }
}

async function ingest(engine: KnowledgeEngine, base: Base, file: CorpusFile): Promise<void> {
  const outcome = await engine.ingest({
    ...base,
    documentId: uuidv7(),
    name: file.name,
    contentType: file.contentType,
    bytes: async () => [file.bytes].values() as unknown as AsyncIterable<Uint8Array>,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  if (!outcome.ok) throw new Error(`${file.name}: ${outcome.error.code}`);
}

/** From 1; infinite when it is not among the passages. */
function placeOf({ document, words, page }: Question, passages: readonly Passage[]): number {
  const at = passages.findIndex(
    (passage) =>
      passage.documentName === document &&
      says(passage.text, words) &&
      (page === undefined || passage.page === page),
  );
  return at < 0 ? Infinity : at + 1;
}

async function searchVectors(index: BenchIndex, base: Base, query: string): Promise<Passage[]> {
  const [vector] = await hashingEmbedder.embed([query], AbortSignal.timeout(1_000));
  const model = `${hashingEmbedder.model}/${hashingEmbedder.dimensions}`;
  return index.database.transaction(narrowScope(systemScope('bench'), base.organizationId), async (tx) => {
    const bounds = { among: [], whole: searchBounds.wholeBaseVectors, limit: 100 };
    const near = await rankByVector(tx, { ...base, query, limit: depth }, { model, vector: vector! }, bounds);
    const ids = near.slice(0, depth).map(({ id }) => id);
    const found = await readCitations(tx, ids);
    return ids.flatMap((id) => found.filter(({ chunkId }) => chunkId === id));
  });
}

/** What a first attempt looks like: the same passages, `to_tsvector` as it is, `ts_rank` over all of them. */
async function searchPlainly(index: BenchIndex, query: string, tsquery: string): Promise<Passage[]> {
  const { rows } = await index.admin.query<Passage>(
    `select d.name as "documentName", c.text, c.page from chunk c join indexed_document d using (document_id)
     where to_tsvector(c.text) @@ ${tsquery} order by ts_rank(to_tsvector(c.text), ${tsquery}) desc, c.id limit ${depth}`,
    [query],
  );
  return rows;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
