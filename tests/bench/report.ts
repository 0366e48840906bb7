import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { percentile, round } from './percentiles.ts';

export type Say = (text: string) => void;

/** What a bench found: ratios against its peer in the same run, figures, and samples to draw. */
export interface BenchResult {
  readonly bench: string;
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  readonly curves: readonly {
    readonly name: string;
    readonly unit: string;
    readonly samples: readonly number[];
  }[];
}

/** Where the figures were taken: they mean nothing without it. */
export const machine = () => ({
  cpus: os.cpus().length,
  model: os.cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
  load: os.loadavg().map(round),
});

export function table(result: BenchResult): string {
  const row = ([name, value]: [string, number]): string =>
    `  ${name.padEnd(40)} ${String(value).padStart(12)}`;
  return [
    'ratios',
    ...Object.entries(result.ratios).map(row),
    'figures',
    ...Object.entries(result.figures).map(row),
  ].join('\n');
}

/** Writes the curve and the page that explains it under docs/bench. */
export function publish(result: BenchResult): void {
  const directory = path.join(import.meta.dirname, '../../docs/bench');
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, `${result.bench}.svg`), plot(result));
  const { cpus, model, memoryGiB, node } = machine();
  const rows = Object.entries({ ...result.ratios, ...result.figures }).map(
    ([name, value]) => `| \`${name}\` | ${value} |`,
  );
  fs.writeFileSync(
    path.join(directory, `${result.bench}.md`),
    `# Bench: ${result.bench}

\`npm run bench -- ${result.bench}\` brings the whole store up on durable embedded parts, in one process, and measures through the router as a client would. Its peer is
the same flow on the same flow runtime, asked without the store. A ratio is of one run; figures depend on the machine.

![Percentiles](${result.bench}.svg)

Taken ${new Date().toISOString().slice(0, 10)} on ${cpus} × ${model}, ${memoryGiB} GiB, Node ${node}; clients, store, PostgreSQL and the flow runtime share these cores.

| figure | value |
|---|---|
${rows.join('\n')}

- \`paid_to_active\`: from completing a paid checkout until \`instanceChanged\` says ACTIVE over graphql-ws: webhook, grant, commit, apply, readiness, all of it.
- \`added_first_event\`: p95 of runStart until the first text over graphql-ws, minus the p95 of the bare runtime's own first token.
- \`added_per_event\`: how much later than the bare runtime's own rhythm each further event arrives; the store joins the tokens of one flush (15 ms) into one event.
- \`runs_per_s_vs_runtime\`: runs through the router against bare runs of the dev runtime, which costs next to nothing itself, 16 at a time.
`,
  );
}

/** Percentile curves, one panel each, in colours that read on light and dark. */
function plot(result: BenchResult): string {
  const [width, height, left, top, bottom] = [640, 300, 70, 50, 50];
  const panels = result.curves.map(({ name, unit, samples }, index) => {
    const y0 = index * height;
    const most = percentile(samples, 0.99) * 1.1 || 1;
    const x = (share: number): number => left + share * (width - left - 30);
    const y = (value: number): number =>
      y0 + height - bottom - (Math.max(0, value) / most) * (height - top - bottom);
    const points = Array.from({ length: 100 }, (_, n) => (n + 1) / 100).map(
      (share) => `${x(share).toFixed(1)},${y(Math.min(most, percentile(samples, share))).toFixed(1)}`,
    );
    const marks = [0.5, 0.95].map((share) => {
      const value = percentile(samples, share);
      return `<circle cx="${x(share)}" cy="${y(value)}" r="4" fill="#3b78e7"/><text x="${x(share) - 8}" y="${y(value) - 10}" text-anchor="end" font-size="12">p${share * 100}: ${round(value)} ${unit}</text>`;
    });
    const ticks = [0, 0.5, 1].map(
      (part) =>
        `<line x1="${left}" x2="${width - 30}" y1="${y(part * most)}" y2="${y(part * most)}" stroke="#8888" stroke-width="0.5"/><text x="${left - 8}" y="${y(part * most) + 4}" text-anchor="end" font-size="11">${round(part * most)}</text>`,
    );
    const shares = [0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        `<text x="${x(share)}" y="${y0 + height - bottom + 18}" text-anchor="middle" font-size="11">${share * 100} %</text>`,
    );
    return `<text x="${left}" y="${y0 + 28}" font-size="15" font-weight="600">${name} (${samples.length} samples)</text>
<text x="16" y="${y0 + height / 2}" font-size="11" transform="rotate(-90 16 ${y0 + height / 2})" text-anchor="middle">${unit}</text>
${ticks.join('\n')}
${shares.join('\n')}
<text x="${x(0.5)}" y="${y0 + height - 12}" text-anchor="middle" font-size="11">share of samples at or below</text>
<polyline points="${points.join(' ')}" fill="none" stroke="#3b78e7" stroke-width="2"/>
${marks.join('\n')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height * panels.length}" viewBox="0 0 ${width} ${height * panels.length}" font-family="system-ui, sans-serif" fill="#808890" role="img" aria-label="${result.bench}: percentiles">
${panels.join('\n')}
</svg>
`;
}
