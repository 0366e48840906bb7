import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { rounded } from './percentiles.ts';
import { drawPercentiles, type Curve } from './svg-plot.ts';

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

export interface BenchResult {
  readonly bench: string;
  /** Each against its peer in the same run. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  readonly machine: Machine;
  readonly samples: {
    readonly orders: number;
    readonly pairs: number;
    readonly events: number;
    readonly seconds: number;
  };
  readonly curves: { readonly paidToActive: Curve; readonly addedPerEvent: Curve };
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
  return {
    [`docs/bench/${result.bench}.svg`]: drawPercentiles('Main job: latency percentiles', [
      {
        title: `Order paid → instance ACTIVE (${result.samples.orders} orders, one at a time)`,
        yLabel: 'time (ms)',
        curve: result.curves.paidToActive,
      },
      {
        title: `Added per text event (${result.samples.events} events of ${result.samples.pairs} runs)`,
        yLabel: 'added latency (ms)',
        curve: result.curves.addedPerEvent,
      },
    ]),
    [`docs/bench/${result.bench}.md`]: page(result),
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

const meanings: Readonly<Record<string, string>> = {
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

function meaningOf(name: string): string {
  const meaning = meanings[name];
  if (!meaning) throw new Error(`the page does not say what ${name} means`);
  return meaning;
}

function page({ ratios, figures, machine: where, samples }: BenchResult): string {
  const rows = [...Object.entries(figures), ...Object.entries(ratios)].map(
    ([name, value]) => `| \`${name}\` | ${value} | ${meaningOf(name)} |`,
  );
  return `# Bench: the main job

    npm run bench -- main-job            a table
    npm run bench -- main-job --json     and, as the last line, one JSON object
    npm run bench -- main-job --quick    a minute's look; leaves this page alone

Written by the last full run: ${new Date().toISOString().slice(0, 10)}, ${describe(where)}.

| | | |
| --- | ---: | --- |
${rows.join('\n')}

![Latency percentiles of order to ACTIVE, and of what the store adds to each text event](main-job.svg)

## What is measured
One process holds the whole store as \`npm start\` runs it, its stand-ins (shop, identity, object storage, flow runtime, scripted model) and the
clients; PostgreSQL runs beside it, on a new cluster, and syncs every commit to disk. All of them share the machine, so these are figures of a
small machine under everything at once, not of a deployment.

- **Order paid → ACTIVE**: ${samples.orders} orders of a plan and a credit pack, one after the other, after two to warm up. In it: payment, completed checkout, signed
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

## How to read it
Compare ratios between machines, and figures only with figures of the same machine. Percentiles are by nearest rank, so each is a value that
was measured. A high \`load\` says that something else was running.
`;
}
