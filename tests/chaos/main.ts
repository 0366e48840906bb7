import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ChaosStore } from './chaos-store.ts';
import { check } from './checks.ts';
import { errorLines, sizesOfLogs } from './error-lines.ts';
import { processNames, startFleet } from './fleet.ts';
import { mainJob } from './job.ts';
import type { Milestone } from './milestones.ts';
import { planOf, type Plan } from './plan.ts';
import { startTree } from './tree.ts';

/**
 * `npm run test:chaos -- --seeds 50 [--seed 7] [--jobs 2] [--fleets 3]`: per seed, main jobs run while one process, PostgreSQL, the whole fleet or the whole
 * tree of `npm start` is killed with -9 a seeded time after a seeded milestone, and started again; then no order may be lost or doubled, every
 * reservation closed, Git equal to the database, every run ended, every tool call audited, documents, index and object storage in agreement, and nothing may have crashed that was not killed.
 */
const { seeds, jobs, fleets } = chosen();
const plans = seeds.map(planOf);
const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-chaos-'));
fs.chmodSync(stateDir, 0o711);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`chaos: ${seeds.length} seeds, ${jobs} jobs each`);
/** A store that starts has the machine for itself: three at once would wait for each other longer than their clients do. */
let starting: Promise<unknown> = Promise.resolve();
/** Longer than a job and the checks need when each of them comes to the end of one patience. */
const seedMs = 900_000;
const failed: { readonly seed: number; readonly text: string }[] = [];

// Fleets and tree share nothing, and mostly wait for leases to end: side by side they take as long as the slowest.
const ofFleets = plans.filter(({ victim }) => victim !== 'tree');
const ofTree = plans.filter(({ victim }) => victim === 'tree');
await Promise.all([
  ...Array.from({ length: Math.min(fleets, ofFleets.length) }, (_, index) =>
    lane(ofFleets, `fleet-${index + 1}`, async (directory) => {
      const fleet = await startFleet(directory);
      return {
        store: fleet,
        kill: ({ victim }) =>
          fleet.killAndRestart(
            victim === 'everything'
              ? [...processNames, 'postgres']
              : [victim as Exclude<Plan['victim'], 'everything' | 'tree'>],
          ),
      };
    }),
  ),
  lane(ofTree, 'tree', async (directory) => {
    const tree = await startTree(directory);
    return { store: tree, kill: () => tree.killAndRestart() };
  }),
]);
for (const plan of [...ofFleets, ...ofTree])
  failed.push({ seed: plan.seed, text: `✗ ${titleOf(plan)}\n    no store to try it on` });
// Once more, all in one place: who reads this may have the end of it only.
for (const { text } of failed) say(`\n${text}`);
say(`\n${plans.length - failed.length} passed, ${failed.length} failed`);
if (failed.length) say(`Again with: npm run test:chaos -- --seed ${failed[0]!.seed}    (logs: ${stateDir})`);
else fs.rmSync(stateDir, { recursive: true, force: true });
process.exit(failed.length ? 1 : 0);

interface Victim {
  readonly store: ChaosStore;
  kill(plan: Plan): Promise<void>;
}

/** Takes seeds from the queue, one after another, and tries them on one store. */
async function lane(
  queue: Plan[],
  name: string,
  start: (directory: string) => Promise<Victim>,
): Promise<void> {
  let plan = queue.shift();
  if (!plan) return;
  const directory = path.join(stateDir, name);
  let before = sizesOfLogs(directory);
  const fail = (plan: Plan, { message }: Error): void => {
    const text = `✗ ${titleOf(plan)}\n    ${message}`;
    say(text);
    const lines = errorLines(directory, before).map((line) => `      ${line}`);
    failed.push({ seed: plan.seed, text: [text, ...lines].join('\n') });
  };
  let victim: Victim;
  try {
    const started = starting.then(() => start(directory));
    starting = started.catch(() => undefined);
    victim = await started;
  } catch (error) {
    fail(plan, error as Error);
    return;
  }
  const { store, kill } = victim;
  for (; plan; plan = queue.shift()) {
    before = sizesOfLogs(directory);
    const began = performance.now();
    try {
      const states = await withinMs(seedMs, oneSeed(store, plan, kill));
      say(
        `✓ ${titleOf(plan)}  ${((performance.now() - began) / 1_000).toFixed(1).padStart(4)} s  runs ${states.join(' ')}`,
      );
    } catch (error) {
      fail(plan, error as Error);
    }
  }
  await store.stop();
}

function titleOf({ seed, victim, milestone, delayMs }: Plan): string {
  return `seed ${String(seed).padStart(3)}  ${victim.padEnd(14)} ${String(delayMs).padStart(4)} ms after ${milestone.padEnd(11)}`;
}

async function oneSeed(store: ChaosStore, plan: Plan, kill: Victim['kill']): Promise<string[]> {
  let arrive: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const reached = (milestone: Milestone): void => {
    if (milestone === plan.milestone) arrive?.();
  };
  const working = Promise.all(
    Array.from({ length: jobs }, async (_, index) => {
      const name = `chaos-${plan.seed}-${index}`;
      const terminate = plan.terminates && index % 2 === 1;
      const removal = plan.seed % 2 === 1 ? 'when it is READY' : 'while it is read';
      const removeKnowledge = index % 2 === 1 ? removal : 'never';
      return mainJob(store, await store.buyer(name), { name, terminate, removeKnowledge, reached });
    }),
  );
  await Promise.race([arrived, working]);
  await new Promise((resolve) => setTimeout(resolve, plan.delayMs));
  // Whatever became of the jobs, the next seed begins on a store that is whole.
  const [killed, worked] = await Promise.allSettled([kill(plan), working]);
  const faults = [killed, worked].flatMap((one) =>
    one.status === 'rejected' ? [(one.reason as Error).message] : [],
  );
  if (worked.status === 'rejected' || faults.length)
    throw new Error([...faults, ...store.crashes()].join('\n    '));
  const promised = worked.value;
  await check(store, promised);
  return promised.flatMap(({ run, tools }) => [run, ...tools.runs].map(({ runState }) => runState));
}

async function withinMs<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms / 1_000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function chosen(): { seeds: number[]; jobs: number; fleets: number } {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      fleets: { type: 'string', default: '3' },
    },
  });
  const count = (name: 'seeds' | 'seed' | 'jobs' | 'fleets'): number => {
    if (!/^[1-9][0-9]{0,5}$/.test(values[name] ?? '')) {
      process.stderr.write(`--${name} must be a whole number from 1 on, not "${values[name]}"\n`);
      process.exit(2);
    }
    return Number(values[name]);
  };
  return {
    jobs: count('jobs'),
    fleets: count('fleets'),
    seeds:
      values.seed === undefined
        ? Array.from({ length: count('seeds') }, (_, index) => index + 1)
        : [count('seed')],
  };
}
