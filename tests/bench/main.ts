import { parseArgs } from 'node:util';
import type { BenchOptions, BenchResult } from './report.ts';

/**
 * `npm run bench -- <name> [--json] [--quick]`: a table for people; with `--json` the last line is one object for scripts. Exit 2 for a name
 * that is no bench. `--quick` is a look at whether it works: few samples, and the documents are left as they are.
 */
const benches: Record<string, () => Promise<(options: BenchOptions) => Promise<BenchResult>>> = {
  'main-job': async () => (await import('./main-job.ts')).benchMainJob,
  ingest: async () => (await import('./ingest.ts')).benchIngest,
  retrieval: async () => (await import('./retrieval.ts')).benchRetrieval,
  widget: async () => (await import('./widget.ts')).benchWidget,
  tools: async () => (await import('./tools.ts')).benchTools,
};

const { values, positionals } = readArguments();
const load = positionals.length === 1 ? benches[positionals[0]!] : undefined;
if (!load) usage();
const bench = await load();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const result = await bench({ quick: values.quick, say });
const { filesOf, table, write } = await import('./report.ts');
say(table(result));
const files = filesOf(result); // also in a quick run, so that it fails when the page cannot be made
if (!values.quick) for (const file of write(files)) say(`written: ${file}`);
if (values.json) {
  const { bench: name, ratios, figures, machine } = result;
  say(JSON.stringify({ bench: name, ratios, figures, machine }));
}
process.exit(0);

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
    });
  } catch {
    return usage();
  }
}

function usage(): never {
  process.stderr.write(
    `usage: npm run bench -- <name> [--json] [--quick]\nbenches: ${Object.keys(benches).join(', ')}\n`,
  );
  process.exit(2);
}
