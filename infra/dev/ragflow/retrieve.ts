import { z } from 'zod';
import { code, notOwned, Refusal } from './envelope.ts';
import type { RagflowState } from './state.ts';

const asked = z.object({
  question: z.string(),
  dataset_ids: z.array(z.string()).min(1),
  document_ids: z.array(z.string()).default([]),
  page: z.int().min(1).default(1),
  page_size: z.int().min(1).max(100).default(30),
  similarity_threshold: z.number().default(0.2),
  top_k: z.int().min(1).default(1_024),
  // What asks a model is not offered here, and refused so that nobody comes to need it.
  keyword: z.literal(false).optional(),
  use_kg: z.literal(false).optional(),
  toc_enhance: z.literal(false).optional(),
  cross_languages: z.array(z.string()).max(0).optional(),
  vector_similarity_weight: z.number().optional(),
});

/** `POST /retrieval`: how many of the question's words a chunk has. One dataset or document that is not there fails the whole call. */
export function retrieve(state: RagflowState, body: unknown): object {
  const read = asked.safeParse(body);
  if (!read.success) throw new Refusal(code.argument, z.prettifyError(read.error));
  const request = read.data;
  const datasets = request.dataset_ids.map((id) => {
    const dataset = state.get(id);
    if (!dataset) throw notOwned(id);
    return dataset;
  });
  if (!request.question.trim()) return { total: 0, chunks: [], doc_aggs: {} };
  const wanted = new Set(request.document_ids);
  for (const id of wanted)
    if (!datasets.some(({ documents }) => documents.has(id)))
      throw new Refusal(code.data, `The datasets don't own the document ${id}`);
  const words = new Set(wordsOf(request.question));
  const found = datasets
    .flatMap((dataset) =>
      [...dataset.documents.values()].flatMap((document) =>
        document.chunks.map((chunk) => ({
          dataset,
          document,
          chunk,
          similarity: likeness(words, chunk.content),
        })),
      ),
    )
    .filter(({ document }) => !wanted.size || wanted.has(document.id))
    .filter(({ similarity }) => similarity > 0 && similarity >= request.similarity_threshold)
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, request.top_k);
  const counts = Map.groupBy(found, ({ document }) => document);
  return {
    total: found.length,
    chunks: found
      .slice((request.page - 1) * request.page_size, request.page * request.page_size)
      .map(({ dataset, document, chunk, similarity }) => ({
        ...chunk,
        document_id: document.id,
        document_keyword: document.name,
        dataset_id: dataset.id,
        image_id: '',
        important_keywords: [],
        similarity,
        term_similarity: similarity,
        vector_similarity: 0,
      })),
    doc_aggs: [...counts].map(([{ id, name }, chunks]) => ({
      doc_id: id,
      doc_name: name,
      count: chunks.length,
    })),
  };
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function likeness(words: ReadonlySet<string>, text: string): number {
  const has = new Set(wordsOf(text));
  return words.size ? [...words].filter((word) => has.has(word)).length / words.size : 0;
}
