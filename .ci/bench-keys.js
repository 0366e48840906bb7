// Passes a bench's output on and checks its last line: the keys that others rely on are there, and are numbers above zero.
import fs from 'node:fs';
const expected = {
  ratios: ['runs_per_s_vs_runtime'],
  figures: [
    'paid_to_active_p50_ms',
    'paid_to_active_p95_ms',
    'added_first_event_p95_ms',
    'added_per_event_p95_ms',
    'runs_per_s',
    'events_per_s',
  ],
  machine: ['cpus', 'memoryGiB'],
};
const output = fs.readFileSync(0, 'utf8');
process.stdout.write(output);
const result = JSON.parse(output.trimEnd().split('\n').at(-1));
const faults = Object.entries(expected).flatMap(([part, keys]) =>
  keys.filter((key) => !(result[part]?.[key] > 0)).map((key) => `${part}.${key} is ${result[part]?.[key]}`),
);
if (result.bench !== 'main-job') faults.push(`bench is ${result.bench}`);
if (faults.length) {
  process.stderr.write(`${faults.join('\n')}\n`);
  process.exit(1);
}
