import { assertInvariants, invariantCount } from '../invariants/assert-invariants.ts';
import { openBareRuntime } from './bare-runtime.ts';
import { measureLedger } from './ledger.ts';
import { loadWith } from './load.ts';
import { mainJobPage } from './main-job-page.ts';
import { openStore, type BenchStore } from './open-store.ts';
import { buyPlan } from './orders.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';
import { watchRun } from './runs.ts';
import { measureStreams } from './streams.ts';

const concurrency = 16;
const streamPrompt = 'scripted-slow?tokens=40&delay=10 Tell me about parcels.';
const loadPrompt = 'scripted-words?tokens=20&delay=0';

/** The main job under the watch: order to ACTIVE, what the store adds to a stream, and runs per second against the bare runtime. */
export async function benchMainJob({ quick, say }: BenchOptions): Promise<BenchResult> {
  say(`bench main-job${quick ? ', quick' : ''}: the store starts`);
  const store = await openStore(say);
  try {
    return await measure(store, { quick, say });
  } finally {
    await store.close();
  }
}

async function measure(store: BenchStore, { quick, say }: BenchOptions): Promise<BenchResult> {
  const { stack } = store;
  const buyer = await store.buyer();
  const orders = quick ? 4 : 40;
  const pairs = quick ? 3 : 30;
  const seconds = quick ? 2 : 10;

  say(`${orders} orders, one after the other, after 2 to warm up`);
  const paidToActive: number[] = [];
  let instanceId = '';
  for (let order = -2; order < orders; order += 1) {
    const bought = await buyPlan(store, buyer);
    instanceId = bought.instanceId;
    if (order >= 0) paidToActive.push(bought.paidToActiveMs);
  }
  say(`  p50 ${rounded(percentile(paidToActive, 50))} ms`);

  const runtime = await openBareRuntime(stack);
  try {
    say(`${pairs} streams of 40 tokens, bare runtime and store in turn`);
    const streams = await measureStreams({ runtime, buyer, instanceId, pairs, prompt: streamPrompt });
    say(`  ${streams.addedPerEvent.length} text events`);

    say(`runs, ${concurrency} at a time: the store and the bare runtime in turn, twice ${seconds} s each`);
    const throughStore = {
      concurrency,
      job: async () => (await watchRun(buyer, instanceId, loadPrompt)).events,
    };
    const throughRuntime = { concurrency, job: async () => (await runtime.run(loadPrompt), 0) };
    await loadWith({ ...throughRuntime, seconds: 1 });
    await loadWith({ ...throughStore, seconds: 1 });
    const rates = { store: [] as number[], events: [] as number[], runtime: [] as number[] };
    for (let round = 0; round < 2; round += 1) {
      const own = await loadWith({ ...throughRuntime, seconds });
      const ours = await loadWith({ ...throughStore, seconds });
      rates.runtime.push(own.perSecond);
      rates.store.push(ours.perSecond);
      rates.events.push(ours.amountPerSecond);
      say(`  ${rounded(ours.perSecond)} runs/s through the store, ${rounded(own.perSecond)} on the runtime`);
    }
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, one) => sum + one, 0) / values.length;
    const rssMb = process.memoryUsage().rss / 1e6;

    say(`ledger: reserve and settle, ${concurrency} at a time`);
    const ledger = await measureLedger({
      databaseUrl: stack.doubles.databaseUrl,
      seconds: quick ? 1 : 5,
    });
    await assertInvariants(stack.doubles.adminUrl);
    say(`  ${invariantCount} invariants of the ledger hold`);

    const figures = {
      paid_to_active_p50_ms: percentile(paidToActive, 50),
      paid_to_active_p95_ms: percentile(paidToActive, 95),
      runtime_first_event_p95_ms: percentile(streams.runtimeFirst, 95),
      first_event_p95_ms: percentile(streams.storeFirst, 95),
      added_first_event_p50_ms: percentile(streams.addedFirst, 50),
      added_first_event_p95_ms: percentile(streams.addedFirst, 95),
      added_per_event_p50_ms: percentile(streams.addedPerEvent, 50),
      added_per_event_p95_ms: percentile(streams.addedPerEvent, 95),
      runs_per_s: mean(rates.store),
      runtime_runs_per_s: mean(rates.runtime),
      events_per_s: mean(rates.events),
      reserve_settle_pairs_per_s_one_organization: ledger.oneWallet,
      reserve_settle_pairs_per_s_64_organizations: ledger.manyWallets,
      rss_mb: rssMb,
    };
    return {
      bench: 'main-job',
      ratios: { runs_per_s_vs_runtime: Number((mean(rates.store) / mean(rates.runtime)).toFixed(4)) },
      figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value)])),
      machine: machine(),
      page: mainJobPage({ paidToActive, addedPerEvent: streams.addedPerEvent, pairs, seconds: 2 * seconds }),
    };
  } finally {
    await runtime.close();
  }
}
