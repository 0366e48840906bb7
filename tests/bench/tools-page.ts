import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const meanings = {
  overhead_p50_ms: 'a call over REST minus the direct call just before it, secret in the cache, median',
  overhead_p99_ms: 'the same, 99th percentile',
  mcp_overhead_p50_ms:
    'a call over MCP to an upstream MCP server minus the direct one just before it, median',
  mcp_overhead_p99_ms: 'the same, 99th percentile',
  direct_p50_ms: 'the upstream API, asked directly',
  direct_p99_ms: 'the same, 99th percentile',
  rest_p50_ms: 'the same call through the gateway, `POST /v1/tools/…:invoke`',
  rest_p99_ms: 'the same, 99th percentile',
  mcp_direct_p50_ms: 'the upstream MCP server, asked directly by a client that is kept',
  mcp_p50_ms: 'the same call through the gateway, `POST /mcp`',
  mcp_p99_ms: 'the same, 99th percentile',
  http_hop_p50_ms: "a part: an answer of the gateway's HTTP server for which nothing is done",
  refused_call_p50_ms: 'a part: hop, token, policy, schema, and one audit record that says no',
  audit_append_p50_ms: 'a part: one audit record, committed; a call waits for two, one after the other',
  audit_append_p99_ms: 'the same, 99th percentile',
  owner_notice_p50_ms: "a part, beside the first record: the run's owner stores that the call begins",
  owner_notice_p99_ms: 'the same, 99th percentile',
  calls_per_s: 'through the gateway over REST, 16 at a time',
  direct_calls_per_s: 'the upstream API directly, 16 at a time',
  gateway_cpu_ms_per_call:
    'time on a processor that the gateway took for each of these calls: the load of the machine hardly matters to it',
  vault_reads_per_100_cold_callers: 'reads of the secret store for 100 callers at once just after a rotation',
  cold_call_p50_ms: 'what those callers wait, median',
  cold_call_p99_ms: 'the same, 99th percentile',
  crowd_calls_per_s: '1,000 at once, to an upstream that takes 200 ms',
  crowd_p99_ms: 'what those callers wait, 99th percentile',
  crowd_refused: 'of those calls, the ones for which the owner of the run did not answer within two seconds',
  run_stopped_ms:
    'how long after the answer to `runCancel` the first call of the run is refused, the longest of seven; at most 1,000',
  binding_stopped_ms: 'the same after `connectorBindingRevoke`, for a run under way',
  instance_stopped_ms: 'the same after `instancePause`',
  rss_first_rounds_mb: 'most memory of the gateway in the first third of the rounds of 1,000',
  rss_last_rounds_mb: 'the same in the last third: what grows from round to round is not bounded',
  calls_per_s_vs_direct: '`calls_per_s` / `direct_calls_per_s`',
  rss_growth_1000_calls: '`rss_last_rounds_mb` / `rss_first_rounds_mb`; flat is at most 1.2',
};

/** The page of the bench `tools`: what its figures mean and how they were taken. */
export const toolsPage = (samples: {
  readonly direct: readonly number[];
  readonly rest: readonly number[];
  readonly mcp: readonly number[];
  readonly pairs: number;
  readonly seconds: number;
  readonly rounds: number;
}): BenchResult['page'] => ({
  title: 'tool calls',
  meanings,
  plot: {
    title: 'Tool calls: latency percentiles',
    alt: 'Latency percentiles of a direct call, of the same through the gateway over REST, and of one over MCP',
    panels: [
      {
        title: `Direct (${samples.pairs} calls, one at a time)`,
        yLabel: 'time (ms)',
        curve: curveOf(samples.direct),
      },
      { title: 'Through the gateway over REST', yLabel: 'time (ms)', curve: curveOf(samples.rest) },
      { title: 'Through the gateway over MCP', yLabel: 'time (ms)', curve: curveOf(samples.mcp) },
    ],
  },
  method: `
## What is measured
The tool gateway is a process of its own, and so is the one in which the callers and the upstream are: neither is a part of a store, and both sides of each
comparison are asked by the same clients. The rest of the whole store, the runner and the dev Vault among it, shares one other process;
PostgreSQL runs beside them, on a new cluster, and syncs every commit to disk. All of them share the machine. The calls are made in the name of
real runs under way, whose owner, the runner, is told of each call and stores it.

- **Overhead**: ${samples.pairs} pairs, after 200 that warm up, of a direct call (undici, connections kept, the credential in its header) and the same call through the
  gateway. Before the gateway calls anybody, its decision is committed to the audit chain and, beside that, the run's owner has stored that the
  call begins; before it answers, the completion is committed and the owner is told the result. So two commits, one after the other, are in
  every call: \`audit_append\` says what one costs here, and \`owner_notice\` what is waited for beside the first.
- **MCP**: the same with the SDK's client, kept for many calls as lfx keeps one, of the era with a handshake, to an MCP server behind the
  gateway. What the gateway learnt of that server holds for a minute; the call that learns it anew asks more, and is among the slowest.
- **Parts**: each alone, by the gateway's own code, between the pairs.
- **Calls per second**: ${samples.seconds} s for each side in two alternating rounds, over eight runs. Concurrent calls share commits.
- **Cold secret**: the orders connector's secret is rotated, the gateway told, and 100 callers come at once. The reads are counted at the dev
  Vault's HTTP server.
- **Crowd**: ${samples.rounds} rounds of 1,000 calls at once over eight runs, to an upstream that takes 200 ms, after five in which V8's heap grows to the
  size that it then keeps. The limits on calls are raised for it; the memory is the process' own (VmRSS), read every 50 ms. The runner, which shares its process with the rest of
  the store, has two seconds to store that a call begins: a call for which it takes longer is refused and counted in \`crowd_refused\`.
- **Stops**: runs call one after another; seven are cancelled, a binding is taken back, the agent is paused.
`,
});
