import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const kinds = {
  full_text: 'our search by words alone',
  vectors: 'vectors of the test embedder alone',
  fused: 'both, fused by reciprocal rank: what a base with an embedder answers',
  plain:
    '`to_tsvector` and `ts_rank` over the same passages, any word of the question, as PostgreSQL is set out of the box',
  plain_all_words: 'the same with `plainto_tsquery` as it is: a passage has to have every word',
};

const meanings = {
  questions: 'questions asked, each with the one passage that answers it',
  ...Object.fromEntries(
    Object.entries(kinds).flatMap(([name, meaning]) => [
      [`${name}_recall_at_5`, `part of the questions whose passage is among the first five: ${meaning}`],
      [`${name}_mrr`, 'mean of 1 / place of the passage, 0 when it is not among the first ten'],
    ]),
  ),
  full_text_p95_ms: 'search by words, 95th percentile',
  fused_p95_ms: 'fused search, the vector of the question included, 95th percentile',
  fused_recall_vs_plain: '`fused_recall_at_5` / `plain_recall_at_5`',
  fused_recall_vs_plain_all_words: '`fused_recall_at_5` / `plain_all_words_recall_at_5`',
};

/** The page of the bench `retrieval`. */
export const retrievalPage = (times: {
  readonly fullText: readonly number[];
  readonly fused: readonly number[];
}): BenchResult['page'] => ({
  title: 'retrieval',
  meanings,
  plot: {
    title: 'Retrieval: search latency',
    alt: 'Latency percentiles of searches by words and of fused ones',
    panels: [
      { title: 'Words alone', yLabel: 'time (ms)', curve: curveOf(times.fullText) },
      { title: 'Words and vectors, fused', yLabel: 'time (ms)', curve: curveOf(times.fused) },
    ],
  },
  method: `
## What is measured
The documents of a small shop (\`tests/bench/knowledge/corpus\`: Markdown, plain text, HTML, PDF and Word; English, two German, one French) are ingested
as a user's would be. Each question of \`questions.json\` names the document, the words that the passage must hold, and the page where there are pages. Many are
asked in other words than the text has, in other forms, or with a typing mistake.

- **The embedder** of the bench is no model: it hashes words, their pieces, and the sense of some dozen everyday words that it has a list of
  (\`subgraphs/rag/src/testing/hashing-embedder.ts\`). It gives the same vectors everywhere. That a second signal helps is what the figure shows; how much a real
  model helps is another question.
- **Plain** is the peer, made as strong as it gets without code: the same passages, \`to_tsvector\` in the default language, any word of the question,
  \`ts_rank\`. What \`plainto_tsquery\` finds by itself, where every word has to be in the passage, stands beside it.
`,
});
