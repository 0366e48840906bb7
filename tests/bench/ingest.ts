import { PDFDocument, StandardFonts } from 'pdf-lib';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Base, KnowledgeEngine } from '@agentstore/rag/engines/engine';
import { ingestPage } from './ingest-page.ts';
import { fillIndex, smallBase, type FilledIndex } from './knowledge/fill-index.ts';
import { openIndex, type BenchIndex } from './knowledge/open-index.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';

const sizes = { '1e2': 1e2, '1e4': 1e4, '1e6': 1e6 };
const sample = 'parcel warehouse morning kettle harbour winter customer delivery garden copper'.split(' ');

/** How fast documents become searchable, and whether a search stays as fast while the store grows. */
export async function benchIngest({ quick, say }: BenchOptions): Promise<BenchResult> {
  const index = await openIndex();
  try {
    const engine = index.engine(undefined);
    const pages = quick ? 20 : 200;
    const perSecond = [];
    for (let round = 0; round < (quick ? 1 : 3); round += 1)
      perSecond.push(await pagesPerSecond(engine, await makePdf(pages), pages));
    say(`PDF of ${pages} pages: ${perSecond.map(rounded).join(', ')} pages/s`);
    await index.admin.query('truncate indexed_base cascade; truncate indexed_term');

    const figures: Record<string, number> = { pages_per_s: percentile(perSecond, 50) };
    const times: Record<string, number[]> = {};
    let filled: FilledIndex | undefined;
    for (const [name, size] of Object.entries(sizes).slice(0, quick ? 2 : 3)) {
      filled = await fillIndex(index, size, filled);
      for (const [kind, bases] of Object.entries({ query: filled.small, large_base_query: [filled.large] })) {
        if (kind !== 'query' && size === 1e2) continue; // there is no large base yet
        const took = await searchTimes(index, engine, bases, quick ? 50 : 400);
        times[`${kind}_${name}`] = took;
        figures[`${kind}_p50_${name}_ms`] = percentile(took, 50);
        figures[`${kind}_p95_${name}_ms`] = percentile(took, 95);
        say(
          `${size} passages, ${kind}: p50 ${rounded(percentile(took, 50))} ms, p95 ${rounded(percentile(took, 95))} ms`,
        );
      }
    }
    const growth = (more: string, less: string): Record<string, number> =>
      times[`query_${more}`]
        ? {
            [`query_p95_${more}_vs_${less}`]: Number(
              (figures[`query_p95_${more}_ms`]! / figures[`query_p95_${less}_ms`]!).toFixed(4),
            ),
          }
        : {};
    return {
      bench: 'ingest',
      ratios: { ...growth('1e4', '1e2'), ...growth('1e6', '1e4') },
      figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value)])),
      machine: machine(),
      page: ingestPage({ pages, times }),
    };
  } finally {
    await index.close();
  }
}

async function pagesPerSecond(engine: KnowledgeEngine, pdf: Uint8Array, pages: number): Promise<number> {
  const base = { organizationId: uuidv7(), projectId: uuidv7(), knowledgeBaseId: uuidv7() };
  await engine.createBase({ ...base, name: 'Pages', language: null });
  const began = performance.now();
  const outcome = await engine.ingest({
    ...base,
    documentId: uuidv7(),
    name: 'pages.pdf',
    contentType: 'application/pdf',
    bytes: async () => [pdf].values() as unknown as AsyncIterable<Uint8Array>,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  if (!outcome.ok) throw new Error(outcome.error.message);
  return pages / ((performance.now() - began) / 1_000);
}

/** Pages of 28 lines, some 300 words each. */
async function makePdf(pages: number): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.TimesRoman);
  for (let number = 0; number < pages; number += 1) {
    const page = pdf.addPage();
    for (let line = 0; line < 28; line += 1) {
      const words = Array.from(
        { length: 11 },
        (_, at) => sample[(number * 7 + line * 3 + at * at) % sample.length],
      );
      page.drawText(`${words.join(' ')}${line % 4 === 3 ? '.' : ''}`, {
        x: 50,
        y: 780 - 26 * line,
        size: 11,
        font,
      });
    }
  }
  return pdf.save();
}

/** Three to six words of one passage; in every fifth query one of them is written wrong. */
async function searchTimes(
  index: BenchIndex,
  engine: KnowledgeEngine,
  bases: readonly Base[],
  count: number,
): Promise<number[]> {
  const searches = [];
  for (let number = 0; number < count; number += 1) {
    const base = bases[(number * 37) % bases.length]!;
    const { rows } = await index.admin.query<{ text: string }>(
      `select text from chunk where document_id = $1 limit 1 offset floor(random() * $2)::int`,
      [base.knowledgeBaseId, smallBase],
    );
    const words = (rows[0]?.text ?? '').split(' ').slice(0, 3 + (number % 4));
    if (number % 5 === 0) words[0] = `${words[0]}q`;
    searches.push({ ...base, query: words.join(' '), limit: 5 });
  }
  const times = [];
  for (const [number, search] of searches.entries()) {
    const began = performance.now();
    await engine.search(search);
    if (number >= count / 10) times.push(performance.now() - began); // the first ones warm up
  }
  return times;
}
