// Passes the output of the bench that is named on and checks its last line: the keys that others rely on are there, and are numbers above zero.
import fs from 'node:fs';
const [, , name] = process.argv;
const machine = ['cpus', 'memoryGiB'];
const expected = {
  'main-job': {
    ratios: ['runs_per_s_vs_runtime'],
    figures: [
      'paid_to_active_p50_ms',
      'paid_to_active_p95_ms',
      'added_first_event_p95_ms',
      'added_per_event_p95_ms',
      'runs_per_s',
      'events_per_s',
    ],
    machine,
  },
  tools: {
    ratios: ['calls_per_s_vs_direct', 'rss_growth_1000_calls'],
    figures: [
      'overhead_p50_ms',
      'overhead_p99_ms',
      'mcp_overhead_p50_ms',
      'mcp_overhead_p99_ms',
      'vault_reads_per_100_cold_callers',
      'run_stopped_ms',
      'binding_stopped_ms',
      'instance_stopped_ms',
    ],
    machine,
  },
  ingest: { ratios: ['query_p95_1e4_vs_1e2'], figures: ['pages_per_s', 'query_p95_1e4_ms'], machine },
  retrieval: { ratios: ['fused_recall_vs_plain'], figures: [], machine },
  widget: {
    ratios: ['launcher_vs_deep_chat'],
    figures: ['loader_br_kb', 'app_br_kb', 'launcher_ms', 'open_to_typing_ms', 'deep_chat_ms'],
    machine,
  },
}[name];
const output = fs.readFileSync(0, 'utf8');
process.stdout.write(output);
const result = JSON.parse(output.trimEnd().split('\n').at(-1));
const faults = Object.entries(expected).flatMap(([part, keys]) =>
  keys.filter((key) => !(result[part]?.[key] > 0)).map((key) => `${part}.${key} is ${result[part]?.[key]}`),
);
if (result.bench !== name) faults.push(`bench is ${result.bench}`);
if (faults.length) {
  process.stderr.write(`${faults.join('\n')}\n`);
  process.exit(1);
}
