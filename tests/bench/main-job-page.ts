import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const meanings = {
  paid_to_active_p50_ms: 'payment sent → `instanceChanged` says ACTIVE over graphql-ws, median',
  paid_to_active_p95_ms: 'the same, 95th percentile',
  runtime_first_event_p95_ms: 'bare runtime: request → first text',
  first_event_p95_ms: 'store: `runStart` sent → first `TextMessageContent` over graphql-ws',
  added_first_event_p50_ms: 'first text through the store minus that of the bare run just before it, median',
  added_first_event_p95_ms: 'the same, 95th percentile',
  added_per_event_p50_ms: 'text leaves the runtime → its event reaches the subscriber, median',
  added_per_event_p95_ms: 'the same, 95th percentile',
  runs_per_s: 'through the router, 16 at a time: `runStart`, then `runEvents` to the end',
  runtime_runs_per_s: 'bare runtime, 16 at a time, same flow and prompt',
  events_per_s: 'events that subscribers got at that load, of every kind',
  reserve_settle_pairs_per_s_one_organization:
    'ledger alone: reserve and settle, 16 at a time, all on one wallet',
  reserve_settle_pairs_per_s_64_organizations: 'the same over 64 wallets',
  rss_mb: 'memory of the process after the load: store, stand-ins and clients, without PostgreSQL',
  runs_per_s_vs_runtime: '`runs_per_s` / `runtime_runs_per_s`',
};

/** The page of the bench `main-job`: what its figures mean and how they were taken. */
export const mainJobPage = (samples: {
  readonly paidToActive: readonly number[];
  readonly addedPerEvent: readonly number[];
  readonly pairs: number;
  readonly seconds: number;
}): BenchResult['page'] => ({
  title: 'the main job',
  meanings,
  plot: {
    title: 'Main job: latency percentiles',
    alt: 'Latency percentiles of order to ACTIVE, and of what the store adds to each text event',
    panels: [
      {
        title: `Order paid → instance ACTIVE (${samples.paidToActive.length} orders, one at a time)`,
        yLabel: 'time (ms)',
        curve: curveOf(samples.paidToActive),
      },
      {
        title: `Added per text event (${samples.addedPerEvent.length} events of ${samples.pairs} runs)`,
        yLabel: 'added latency (ms)',
        curve: curveOf(samples.addedPerEvent),
      },
    ],
  },
  method: `
## What is measured
One process holds the whole store as \`npm start\` runs it, its stand-ins (shop, identity, object storage, flow runtime, scripted model) and the
clients; PostgreSQL runs beside it, on a new cluster, and syncs every commit to disk. All of them share the machine, so these are figures of a
small machine under everything at once, not of a deployment.

- **Order paid → ACTIVE**: ${samples.paidToActive.length} orders of a plan and a credit pack, one after the other, after two to warm up. In it: payment, completed checkout, signed
  webhook, grant, commit to Git, application, observation, the subscription's message. The buyer learns of its instance by asking every 15 ms.
- **First event and per event**: ${samples.pairs} pairs of a bare run and a run through the store with the same prompt (40 tokens, 10 ms apart), in turn. The bare
  run is made with the runner's own client. What is added per event is taken within one run: from the moment its text leaves the runtime, seen
  on the runner's socket, to its arrival at the graphql-ws client; the same clock sees both. Runtime, store and client share one event loop, so
  text that waits for that loop to be free is stamped late: the figure holds what the store does with it, not that wait. The runner sends text
  at once after a silence and else collects for up to 15 ms, and commits it before anybody sees it, which is most of it.
- **Runs per second**: ${samples.seconds} s for each side in two alternating rounds, 20 tokens without pauses. A run through the store is checked, reserved, queued,
  claimed, executed, logged, streamed and settled; the bare runtime only executes. The ratio is the price of that on shared cores.
- **Ledger**: the two SQL functions alone. One wallet shows the row lock that keeps a balance true; many show what the database does.

At the end the invariants of the ledger are asked, and a broken one fails the bench.
`,
});
