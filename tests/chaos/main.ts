import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { check } from './checks.ts';
import { processNames, startFleet, type ProcessName } from './fleet.ts';
import { mainJob } from './job.ts';
import { random } from './random.ts';

/**
 * `npm run test:chaos -- --seeds 50 [--seed 7]`: per seed, main jobs run while one process, PostgreSQL or the whole fleet is killed with -9 at a
 * seeded moment and started again; then no order may be lost or doubled, every reservation closed, Git equal to the database, every run ended.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
});
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1)
    : [Number(values.seed)];
const victims: readonly (ProcessName | 'postgres' | 'everything')[] = [
  ...processNames,
  'runner',
  'runs',
  'postgres',
  'everything',
];

const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-chaos-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`chaos: ${seeds.length} seeds, ${values.jobs} jobs each`);
const fleet = await startFleet(stateDir);
let passed = 0;
const failed: number[] = [];

for (const seed of seeds) {
  const began = performance.now();
  const { next, pick } = random(seed);
  const victim = pick(victims);
  const delayMs = Math.floor(next() * 1_500);
  const names = victim === 'everything' ? [...processNames, 'postgres' as const] : [victim];
  try {
    const buyers = await Promise.all(
      Array.from({ length: Number(values.jobs) }, async (_, index) => {
        const buyer = { email: `chaos-${seed}-${index}@example.test`, password: 'a password of chaos' };
        await fleet.doubles.identity.addUser({
          ...buyer,
          givenName: 'Chaos',
          familyName: `${seed}`,
          emailVerified: true,
        });
        return buyer;
      }),
    );
    const jobs = Promise.all(buyers.map((buyer) => mainJob(fleet, buyer)));
    jobs.catch(() => undefined); // awaited below; until then a failure must not end the process
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await fleet.killAndRestart(names);
    const promised = await jobs;
    await check(fleet, promised);
    passed += 1;
    say(
      `✓ seed ${String(seed).padStart(3)}  ${victim.padEnd(14)} at ${String(delayMs).padStart(4)} ms  ${((performance.now() - began) / 1_000).toFixed(1)} s  runs ${promised.map(({ runState }) => runState).join(' ')}`,
    );
  } catch (error) {
    failed.push(seed);
    say(`✗ seed ${String(seed).padStart(3)}  ${victim} at ${delayMs} ms\n    ${(error as Error).message}`);
  }
}
await fleet.stop();
say(`\n${passed} passed, ${failed.length} failed`);
if (failed.length) say(`Again with: npm run test:chaos -- --seed ${failed[0]}    (logs: ${stateDir})`);
else fs.rmSync(stateDir, { recursive: true, force: true });
process.exit(failed.length ? 1 : 0);
