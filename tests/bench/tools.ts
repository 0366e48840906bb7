import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from './open-store.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';
import { openToolAgent, type ToolAgent, type ToolRun } from './tool-agent.ts';
import { openToolCallers, type ToolCallers } from './tool-callers.ts';
import { openGateway, type GatewayProcess } from './tool-gateway.ts';
import { toolsPage } from './tools-page.ts';

const crowd = 1_000;
/** Rounds in which V8's heap grows to the size that this load keeps it at. */
const warmRounds = 5;
const slowMs = 200;
const coldCallers = 100;
const atOnce = 16;
const runsOfCrowd = 8;
interface Place {
  readonly gateway: GatewayProcess;
  readonly agent: ToolAgent;
  readonly callers: ToolCallers;
  readonly runs: readonly ToolRun[];
}

/** What the tool gateway, as a process of its own beside the whole store, adds to the call that it makes. */
export async function benchTools({ quick, say }: BenchOptions): Promise<BenchResult> {
  say(`bench tools${quick ? ', quick' : ''}: the store starts`);
  const store = await openStore(say);
  const opened: (() => Promise<void>)[] = [() => store.close()];
  const closed = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    const callers = await openToolCallers();
    opened.push(() => callers.close());
    const gateway = await openGateway(store, callers.origin);
    opened.push(() => gateway.close());
    const agent = await openToolAgent(store, {
      gateway: gateway.origin,
      owner: gateway.owner,
      upstream: callers.origin,
    });
    const runs: ToolRun[] = [];
    for (let run = 0; run < runsOfCrowd; run += 1) runs.push(await agent.start());
    const { databaseUrl, identity } = store.stack.doubles;
    await callers.ask('begin', {
      gateway: gateway.origin,
      runs,
      steps: { databaseUrl, tokenUrl: identity.tokenUrl, clientSecret: identity.serviceSecrets['tools']! },
    });
    return await measure({ gateway, agent, callers, runs }, { quick, say });
  } finally {
    await closed();
  }
}

async function measure(place: Place, { quick, say }: BenchOptions): Promise<BenchResult> {
  const pairs = quick ? 60 : 1_000;
  const seconds = quick ? 1 : 5;
  const rounds = quick ? 3 : 15;
  say(
    `${pairs} pairs over REST and over MCP, a direct call and one through the gateway in turn; their steps alone`,
  );
  const calls = await measurePairs(place, pairs);
  say(
    `  added p50 ${rounded(percentile(calls.restAdded, 50))} ms, p99 ${rounded(percentile(calls.restAdded, 99))} ms`,
  );

  say(`${atOnce} at a time, direct and through the gateway in turn, twice ${seconds} s each`);
  const rates = await measureRates(place, seconds);
  say(`  ${rounded(rates.ours)} calls/s through the gateway, ${rounded(rates.own)} direct`);

  say(`${coldCallers} callers at once after a rotation, ${quick ? 1 : 5} times`);
  const cold = await measureCold(place, quick ? 1 : 5);
  say(`  ${cold.reads.join(', ')} reads of the secret store`);

  say(`${crowd} calls at once to an upstream that takes ${slowMs} ms, ${rounds} rounds after ${warmRounds}`);
  const crowded = await measureCrowd(place, rounds);
  say(`  memory ${rounded(crowded.rssMb.first)} → ${rounded(crowded.rssMb.last)} MB`);

  say('what stops the next calls: cancelled runs, a binding taken back, an agent paused');
  const stopped = await measureStops(place);
  say(`  ${rounded(stopped.run)}, ${rounded(stopped.binding)}, ${rounded(stopped.instance)} ms`);

  const figures = {
    overhead_p50_ms: percentile(calls.restAdded, 50),
    overhead_p99_ms: percentile(calls.restAdded, 99),
    mcp_overhead_p50_ms: percentile(calls.mcpAdded, 50),
    mcp_overhead_p99_ms: percentile(calls.mcpAdded, 99),
    direct_p50_ms: percentile(calls.direct, 50),
    direct_p99_ms: percentile(calls.direct, 99),
    rest_p50_ms: percentile(calls.rest, 50),
    rest_p99_ms: percentile(calls.rest, 99),
    mcp_direct_p50_ms: percentile(calls.mcpDirect, 50),
    mcp_p50_ms: percentile(calls.mcp, 50),
    mcp_p99_ms: percentile(calls.mcp, 99),
    http_hop_p50_ms: percentile(calls.hop, 50),
    refused_call_p50_ms: percentile(calls.refused, 50),
    audit_append_p50_ms: percentile(calls.append, 50),
    audit_append_p99_ms: percentile(calls.append, 99),
    owner_notice_p50_ms: percentile(calls.tell, 50),
    owner_notice_p99_ms: percentile(calls.tell, 99),
    calls_per_s: rates.ours,
    direct_calls_per_s: rates.own,
    gateway_cpu_ms_per_call: rates.cpuMs,
    vault_reads_per_100_cold_callers: Math.max(...cold.reads),
    cold_call_p50_ms: percentile(cold.latencies, 50),
    cold_call_p99_ms: percentile(cold.latencies, 99),
    crowd_calls_per_s: crowded.perSecond,
    crowd_p99_ms: percentile(crowded.latencies, 99),
    crowd_refused: crowded.refused,
    run_stopped_ms: stopped.run,
    binding_stopped_ms: stopped.binding,
    instance_stopped_ms: stopped.instance,
    rss_first_rounds_mb: crowded.rssMb.first,
    rss_last_rounds_mb: crowded.rssMb.last,
  };
  const ratios = {
    calls_per_s_vs_direct: rates.ours / rates.own,
    rss_growth_1000_calls: crowded.rssMb.last / crowded.rssMb.first,
  };
  return {
    bench: 'tools',
    ratios: Object.fromEntries(
      Object.entries(ratios).map(([name, value]) => [name, Math.round(value * 1e4) / 1e4]),
    ),
    figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value)])),
    machine: machine(),
    page: toolsPage({ ...calls, pairs, seconds: 2 * seconds, rounds }),
  };
}

/** Milliseconds; `added` is a call through the gateway minus the direct one just before it. */
async function measurePairs({ callers, gateway }: Place, pairs: number) {
  const samples = await callers.ask('turns', { count: pairs, gateway: gateway.origin });
  return {
    ...samples,
    restAdded: samples.rest.map((took, pair) => took - samples.direct[pair]!),
    mcpAdded: samples.mcp.map((took, pair) => took - samples.mcpDirect[pair]!),
  };
}

async function measureRates({ callers, gateway }: Place, seconds: number) {
  const ours: number[] = [];
  const own: number[] = [];
  const cpuMs: number[] = [];
  for (let round = -1; round < 2; round += 1) {
    const load = { concurrency: atOnce, seconds: round < 0 ? 0.5 : seconds };
    const bare = await callers.ask('load', { ...load, way: 'direct' });
    const before = gateway.cpuMs();
    const gated = await callers.ask('load', { ...load, way: 'rest' });
    if (round < 0) continue;
    own.push(bare.perSecond);
    ours.push(gated.perSecond);
    cpuMs.push((gateway.cpuMs() - before) / gated.calls);
  }
  return { own: mean(own), ours: mean(ours), cpuMs: mean(cpuMs) };
}

/** Reads of the secret store for each crowd of callers that came just after a rotation, and how long those callers waited. */
async function measureCold({ callers, agent }: Place, rounds: number) {
  const reads: number[] = [];
  const latencies: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await agent.rotate(round + 1);
    await sleep(500); // the watch tells the gateway
    const counter = countSecretReads();
    const came = await callers.ask('crowd', { callers: coldCallers, upstreamMs: 0 });
    if (came.refused > 0) throw new Error(`${came.refused} callers just after a rotation were refused`);
    latencies.push(...came.latencies);
    reads.push(counter.stop());
  }
  return { reads, latencies };
}

/** Reads of secrets that came to the dev Vault, which is in this process, seen at its HTTP server. */
function countSecretReads(): { stop(): number } {
  let reads = 0;
  const hear = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.method === 'GET' && request.url?.startsWith('/v1/kv/data/connectors/')) reads += 1;
  };
  diagnostics.subscribe('http.server.request.start', hear);
  return {
    stop() {
      diagnostics.unsubscribe('http.server.request.start', hear);
      return reads;
    },
  };
}

/** The most memory in the first and in the last third of the rounds, after those in which the heap finds its size. */
async function measureCrowd({ callers, gateway }: Place, rounds: number) {
  const latencies: number[] = [];
  const peaks: number[] = [];
  let refused = 0;
  const round = async (): Promise<number[]> => {
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, gateway.rssMb())), 50);
    try {
      const came = await callers.ask('crowd', { callers: crowd, upstreamMs: slowMs });
      refused += came.refused;
      return came.latencies;
    } finally {
      clearInterval(watch);
      peaks.push(most);
    }
  };
  for (let warm = 0; warm < warmRounds; warm += 1) await round();
  peaks.length = refused = 0;
  const began = performance.now();
  for (let one = 0; one < rounds; one += 1) latencies.push(...(await round()));
  const took = performance.now() - began;
  const third = Math.ceil(rounds / 3);
  return {
    latencies,
    refused,
    perSecond: (rounds * crowd * 1_000) / took,
    rssMb: { first: Math.max(...peaks.slice(0, third)), last: Math.max(...peaks.slice(-third)) },
  };
}

/** How long after the answer to a change the first call is refused, in milliseconds; of several runs, the longest. */
async function measureStops({ callers, agent, runs }: Place) {
  const until = async (change: Promise<void>, run: number, tool: 'rest' | 'restStatus'): Promise<number> => {
    await change;
    return (await callers.ask('untilRefused', { run, tool })).ms;
  };
  const last = runs.length - 1;
  const cancelled: number[] = [];
  for (let run = 0; run < last; run += 1) cancelled.push(await until(agent.cancel(runs[run]!), run, 'rest'));
  return {
    run: Math.max(...cancelled),
    binding: await until(agent.revoke(), last, 'rest'),
    instance: await until(agent.pause(), last, 'restStatus'),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
