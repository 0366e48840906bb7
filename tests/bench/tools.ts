import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadWith } from './load.ts';
import { openStore, type BenchStore } from './open-store.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';
import { benchCredential, openToolAgent, type ToolAgent, type ToolRun } from './tool-agent.ts';
import { toolClients, UnexpectedAnswer, type ToolClients } from './tool-clients.ts';
import { openGateway, type GatewayProcess } from './tool-gateway.ts';
import { toolSteps } from './tool-steps.ts';
import { openToolUpstream, type ToolUpstream } from './tool-upstream.ts';
import { toolsPage } from './tools-page.ts';

const crowd = 1_000;
/** Rounds in which V8's heap grows to the size that this load keeps it at. */
const warmRounds = 5;
const slowMs = 200;
const coldCallers = 100;
const atOnce = 16;
const runsOfCrowd = 8;
interface Place {
  readonly upstream: ToolUpstream;
  readonly gateway: GatewayProcess;
  readonly agent: ToolAgent;
  readonly clients: ToolClients;
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
    const upstream = await openToolUpstream();
    opened.push(() => upstream.close());
    const gateway = await openGateway(store, upstream.origin);
    opened.push(() => gateway.close());
    const agent = await openToolAgent(store, {
      gateway: gateway.origin,
      owner: gateway.owner,
      upstream: upstream.origin,
    });
    const clients = toolClients({ upstream: upstream.origin, gateway: gateway.origin });
    opened.push(() => clients.close());
    const runs: ToolRun[] = [];
    for (let run = 0; run < runsOfCrowd; run += 1) runs.push(await agent.start());
    return await measure(store, { upstream, gateway, agent, clients, runs }, { quick, say });
  } finally {
    await closed();
  }
}

async function measure(store: BenchStore, place: Place, { quick, say }: BenchOptions): Promise<BenchResult> {
  const pairs = quick ? 60 : 1_000;
  const seconds = quick ? 1 : 5;
  const rounds = quick ? 3 : 15;
  say(
    `${pairs} pairs over REST and over MCP, a direct call and one through the gateway in turn; their steps alone`,
  );
  const calls = await measurePairs(store, place, pairs);
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
async function measurePairs(store: BenchStore, { upstream, gateway, clients, runs }: Place, pairs: number) {
  const run = runs[0]!;
  const steps = toolSteps(store, run);
  const direct = await clients.mcp(new URL('/mcp', upstream.origin), benchCredential, 'service_status');
  const through = await clients.mcp(new URL('/mcp', gateway.origin), run.token, 'status__service_status');
  const ways = {
    direct: () => clients.direct(),
    rest: () => clients.rest(run),
    mcpDirect: () => direct.call(),
    mcp: () => through.call(),
    hop: () => clients.hop(),
    refused: () => clients.refused(run),
    append: () => steps.append(),
    tell: () => steps.tell(),
  };
  type Way = keyof typeof ways;
  const samples = Object.fromEntries(Object.keys(ways).map((way) => [way, []])) as unknown as Record<
    Way,
    number[]
  >;
  try {
    for (let pair = -20; pair < pairs; pair += 1)
      for (const way of Object.keys(ways) as Way[]) {
        const took = await timed(ways[way]);
        if (pair >= 0) samples[way].push(took); // the first ones warm up
      }
  } finally {
    await Promise.all([direct.close(), through.close(), steps.close()]);
  }
  return {
    ...samples,
    restAdded: samples.rest.map((took, pair) => took - samples.direct[pair]!),
    mcpAdded: samples.mcp.map((took, pair) => took - samples.mcpDirect[pair]!),
  };
}

async function measureRates({ clients, gateway, runs }: Place, seconds: number) {
  const ours: number[] = [];
  const own: number[] = [];
  const cpuMs: number[] = [];
  for (let round = -1; round < 2; round += 1) {
    const load = { concurrency: atOnce, seconds: round < 0 ? 0.5 : seconds };
    const bare = await loadWith({ ...load, job: async () => (await clients.direct(), 1) });
    const before = gateway.cpuMs();
    let calls = 0;
    const gated = await loadWith({
      ...load,
      job: async (call) => (await clients.rest(runs[call % runs.length]!), ++calls, 1),
    });
    if (round < 0) continue;
    own.push(bare.perSecond);
    ours.push(gated.perSecond);
    cpuMs.push((gateway.cpuMs() - before) / calls);
  }
  return { own: mean(own), ours: mean(ours), cpuMs: mean(cpuMs) };
}

/** Reads of the secret store for each crowd of callers that came just after a rotation, and how long those callers waited. */
async function measureCold({ clients, agent, runs }: Place, rounds: number) {
  const reads: number[] = [];
  const latencies: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await agent.rotate(round + 1);
    await sleep(500); // the watch tells the gateway
    const counter = countSecretReads();
    latencies.push(
      ...(await Promise.all(
        Array.from({ length: coldCallers }, (_, call) =>
          timed(() => clients.rest(runs[call % runs.length]!)),
        ),
      )),
    );
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
async function measureCrowd({ clients, upstream, gateway, runs }: Place, rounds: number) {
  const latencies: number[] = [];
  const peaks: number[] = [];
  let refused = 0;
  const call = (run: ToolRun): Promise<void> =>
    clients.rest(run).catch((error: unknown) => {
      // The run's owner shares a process with all that is not the gateway, and has two seconds.
      if (!(error instanceof UnexpectedAnswer) || error.code !== 'RUN_OWNER_UNAVAILABLE') throw error;
      refused += 1;
    });
  const round = async (): Promise<number[]> => {
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, gateway.rssMb())), 50);
    try {
      return await Promise.all(
        Array.from({ length: crowd }, (_, caller) => timed(() => call(runs[caller % runs.length]!))),
      );
    } finally {
      clearInterval(watch);
      peaks.push(most);
    }
  };
  upstream.delayMs = slowMs;
  for (let warm = 0; warm < warmRounds; warm += 1) await round();
  peaks.length = refused = 0;
  const began = performance.now();
  for (let one = 0; one < rounds; one += 1) latencies.push(...(await round()));
  const took = performance.now() - began;
  upstream.delayMs = 0;
  const third = Math.ceil(rounds / 3);
  return {
    latencies,
    refused,
    perSecond: (rounds * crowd * 1_000) / took,
    rssMb: { first: Math.max(...peaks.slice(0, third)), last: Math.max(...peaks.slice(-third)) },
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
