import { parseArgs } from 'node:util';
import { machine, publish, table, type BenchResult, type Say } from './report.ts';

/** `npm run bench -- <name> [--json] [--quick]`: measures, prints a table for people, draws docs/bench/<name>.svg; --json ends with one object. */
process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
const benches: Readonly<
  Record<string, () => Promise<(options: { quick: boolean; say: Say }) => Promise<BenchResult>>>
> = {
  'main-job': async () => (await import('./main-job.ts')).benchMainJob,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const load = benches[positionals[0] ?? ''];
if (!load) {
  process.stderr.write(
    `Usage: npm run bench -- <name> [--json] [--quick]\nThere are: ${Object.keys(benches).join(', ')}\n`,
  );
  process.exit(2);
}
const run = await load();
const { curves, ...result } = await run({
  quick: values.quick,
  say: (text) => void process.stdout.write(`  … ${text}\n`),
});
process.stdout.write(`${table({ ...result, curves })}\n`);
if (!values.quick) publish({ ...result, curves });
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, machine: machine() })}\n`);
process.exit(0);
