import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const kinds = {
  full_text: 'our search by words alone',
  vectors: 'vectors of the test embedder alone',
  fused: 'both, fused by reciprocal rank: what a base with an embedder answers',
  plain: '`plainto_tsquery` and `ts_rank` over the same passages, as PostgreSQL is set out of the box',
  plain_any_word: 'the same, but one word of the question is enough',
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
  fused_recall_vs_plain_any_word: '`fused_recall_at_5` / `plain_any_word_recall_at_5`',
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

- **The embedder** of the bench hashes words and their pieces. It knows forms of words, mistakes and compounds, but no synonyms: a real model finds more, and its
  figures would not be the same twice.
- **Plain** is the peer: the same passages, \`to_tsvector\` and \`plainto_tsquery\` in the default language, \`ts_rank\`. All words of a question have to be in a passage.
- **Plain, any word** is what one does next.
`,
});
