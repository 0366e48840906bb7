import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const sizes = { '1e2': '100', '1e4': '10,000', '1e6': '1,000,000' };

const meanings = {
  pages_per_s: 'pages of a PDF per second, from its bytes to a document that is found; median of the rounds',
  ...Object.fromEntries(
    Object.entries(sizes).flatMap(([name, size]) => [
      [`query_p50_${name}_ms`, `search in a base of 100 passages while the store has ${size}, median`],
      [`query_p95_${name}_ms`, 'the same, 95th percentile'],
      [
        `large_base_query_p50_${name}_ms`,
        `search in the large base of a store that has ${size} passages, median`,
      ],
      [`large_base_query_p95_${name}_ms`, 'the same, 95th percentile'],
    ]),
  ),
  query_p95_1e4_vs_1e2: '`query_p95_1e4_ms` / `query_p95_1e2_ms`',
  query_p95_1e6_vs_1e4: '`query_p95_1e6_ms` / `query_p95_1e4_ms`',
};

/** The page of the bench `ingest`. */
export const ingestPage = (samples: {
  readonly pages: number;
  readonly times: Readonly<Record<string, readonly number[]>>;
}): BenchResult['page'] => ({
  title: 'ingest and search',
  meanings,
  plot: {
    title: 'Search: latency percentiles',
    alt: 'Latency percentiles of searches in stores of growing size',
    panels: Object.entries(samples.times).map(([name, times]) => ({
      title: `${name.startsWith('large') ? 'Large base' : 'Base of 100 passages'}, store of ${sizes[name.slice(-3) as keyof typeof sizes]}`,
      yLabel: 'time (ms)',
      curve: curveOf(times),
    })),
  },
  method: `
## What is measured
The embedded engine alone, on a PostgreSQL of its own that syncs to disk, without vectors; engine, database and client share the machine.

- **Ingest**: a PDF of ${samples.pages} pages with some 300 words each, made on the spot. In it: the thread that reads it, cutting, \`to_tsvector\`, the index, the commit.
- **Search**: 400 queries one after the other, the first tenth to warm up. Passages are 60 words drawn from 20,000 by Zipf's law, so that there are very common and
  very rare ones; a query is three to six words of one passage, and in every fifth one of them is written wrong, which has to be looked for by likeness.
- **The store grows** from 100 to 1,000,000 passages. Up to 50,000 are in bases of 100, which \`query\` asks; all others are in one base, which \`large_base_query\`
  asks: 5,000 passages in the store of 10,000, and 950,000 in that of a million.
`,
});
