import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { rounded } from './percentiles.ts';
import { drawPercentiles, type Panel } from './svg-plot.ts';

export interface BenchOptions {
  /** Few samples: whether it works, not what it measures. */
  readonly quick: boolean;
  /** A line of progress. */
  readonly say: (text: string) => void;
}

/** Where it was measured. */
export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly node: string;
  /** One-minute load average at the end, the bench's own included. */
  readonly load: number;
}

/** What a bench measured, and the page that explains it. */
export interface BenchResult {
  readonly bench: string;
  /** Each against its peer in the same run. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  readonly machine: Machine;
  readonly page: {
    readonly title: string;
    /** What each ratio and figure means. */
    readonly meanings: Readonly<Record<string, string>>;
    readonly plot: { readonly title: string; readonly alt: string; readonly panels: readonly Panel[] };
    /** Markdown below the plot. */
    readonly method: string;
  };
}

export const machine = (): Machine => ({
  cpus: os.availableParallelism(),
  model: os.cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: rounded(os.totalmem() / 2 ** 30),
  node: process.version,
  load: rounded(os.loadavg()[0] ?? 0),
});

/** The result for people. */
export function table({ ratios, figures, machine: where }: BenchResult): string {
  const rows = [...Object.entries(figures), ...Object.entries(ratios)];
  return [
    '',
    ...rows.map(([name, value]) => `${name.padEnd(46)} ${String(value).padStart(10)}`),
    '',
    describe(where),
  ].join('\n');
}

const describe = ({ cpus, model, memoryGiB, node, load }: Machine): string =>
  `${cpus} × ${model}, ${memoryGiB} GiB, Node ${node}, load ${load}`;

/** The page and its plot in docs/bench: texts by path from the root of the repository. */
export function filesOf(result: BenchResult): Readonly<Record<string, string>> {
  const { title, panels } = result.page.plot;
  return {
    [`docs/bench/${result.bench}.svg`]: drawPercentiles(title, panels),
    [`docs/bench/${result.bench}.md`]: pageOf(result),
  };
}

/** Writes files below the root of the repository; answers their paths. */
export function write(files: Readonly<Record<string, string>>): string[] {
  const root = path.join(import.meta.dirname, '../..');
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  return Object.keys(files);
}

function pageOf({ bench, ratios, figures, machine: where, page }: BenchResult): string {
  const rows = [...Object.entries(figures), ...Object.entries(ratios)].map(([name, value]) => {
    const meaning = page.meanings[name];
    if (!meaning) throw new Error(`the page does not say what ${name} means`);
    return `| \`${name}\` | ${value} | ${meaning} |`;
  });
  return `# Bench: ${page.title}

    npm run bench -- ${bench}            a table
    npm run bench -- ${bench} --json     and, as the last line, one JSON object
    npm run bench -- ${bench} --quick    a minute's look; leaves this page alone

Written by the last full run: ${new Date().toISOString().slice(0, 10)}, ${describe(where)}.

| | | |
| --- | ---: | --- |
${rows.join('\n')}

![${page.plot.alt}](${bench}.svg)

${page.method.trim()}

## How to read it
Compare ratios between machines, and figures only with figures of the same machine. Percentiles are by nearest rank, so each is a value that
was measured. A high \`load\` says that something else was running.
`;
}
