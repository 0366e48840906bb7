import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ChaosStore } from './chaos-store.ts';
import { check } from './checks.ts';
import { processNames, startFleet } from './fleet.ts';
import { mainJob } from './job.ts';
import type { Milestone } from './milestones.ts';
import { planOf, type Plan } from './plan.ts';
import { startTree } from './tree.ts';

/**
 * `npm run test:chaos -- --seeds 50 [--seed 7] [--jobs 2] [--fleets 2]`: per seed, main jobs run while one process, PostgreSQL, the whole fleet or the whole
 * tree of `npm start` is killed with -9 a seeded time after a seeded milestone, and started again; then no order may be lost or doubled, every
 * reservation closed, Git equal to the database, every run ended, every tool call audited, and nothing may have crashed that was not killed.
 */
const { seeds, jobs, fleets } = chosen();
const plans = seeds.map(planOf);
const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-chaos-'));
fs.chmodSync(stateDir, 0o711);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`chaos: ${seeds.length} seeds, ${jobs} jobs each`);
/** Longer than the longest patience of a job and of the checks. */
const seedMs = 300_000;
const failed: number[] = [];

// Fleets and tree share nothing, and mostly wait for leases to end: side by side they take as long as the slowest.
const ofFleets = plans.filter(({ victim }) => victim !== 'tree');
await Promise.all([
  ...Array.from({ length: fleets }, (_, index) =>
    lane(
      ofFleets.filter((_plan, turn) => turn % fleets === index),
      async () => {
        const fleet = await startFleet(path.join(stateDir, `fleet-${index + 1}`));
        return {
          store: fleet,
          kill: ({ victim }) =>
            fleet.killAndRestart(
              victim === 'everything'
                ? [...processNames, 'postgres']
                : [victim as Exclude<Plan['victim'], 'everything' | 'tree'>],
            ),
        };
      },
    ),
  ),
  lane(
    plans.filter(({ victim }) => victim === 'tree'),
    async () => {
      const tree = await startTree(path.join(stateDir, 'tree'));
      return { store: tree, kill: () => tree.killAndRestart() };
    },
  ),
]);
say(`\n${plans.length - failed.length} passed, ${failed.length} failed`);
if (failed.length) say(`Again with: npm run test:chaos -- --seed ${failed[0]}    (logs: ${stateDir})`);
else fs.rmSync(stateDir, { recursive: true, force: true });
process.exit(failed.length ? 1 : 0);

interface Victim {
  readonly store: ChaosStore;
  kill(plan: Plan): Promise<void>;
}

/** Goes through its seeds one after another, on one store. */
async function lane(own: readonly Plan[], start: () => Promise<Victim>): Promise<void> {
  if (!own.length) return;
  const { store, kill } = await start();
  for (const plan of own) {
    const { seed, victim, milestone, delayMs } = plan;
    const what = `seed ${String(seed).padStart(3)}  ${victim.padEnd(14)} ${String(delayMs).padStart(4)} ms after ${milestone.padEnd(11)}`;
    const began = performance.now();
    try {
      const states = await withinMs(
        seedMs,
        oneSeed(store, plan, () => kill(plan)),
      );
      say(
        `✓ ${what}  ${((performance.now() - began) / 1_000).toFixed(1).padStart(4)} s  runs ${states.join(' ')}`,
      );
    } catch (error) {
      failed.push(seed);
      say(`✗ ${what}\n    ${(error as Error).message}`);
    }
  }
  await store.stop();
}

async function oneSeed(store: ChaosStore, plan: Plan, kill: () => Promise<void>): Promise<string[]> {
  let arrive: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const reached = (milestone: Milestone): void => {
    if (milestone === plan.milestone) arrive?.();
  };
  const working = Promise.all(
    Array.from({ length: jobs }, async (_, index) => {
      const name = `chaos-${plan.seed}-${index}`;
      const terminate = plan.terminates && index % 2 === 1;
      return mainJob(store, await store.buyer(name), { name, terminate, reached });
    }),
  );
  await Promise.race([arrived, working]);
  await new Promise((resolve) => setTimeout(resolve, plan.delayMs));
  const [, promised] = await Promise.all([kill(), working]);
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
      fleets: { type: 'string', default: '2' },
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
