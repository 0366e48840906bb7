import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/** The cruiser reads nothing, reports no violation and exits 0 when its TypeScript is not the one it knows: so the count is checked too. */
const fewestFiles = 150;

it('keeps every import inside the rules of the house, over all source files', () => {
  const run = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.js',
      '--output-type',
      'json',
      'kernel',
      'schema',
      'subgraphs',
      'router',
      'workers',
      'infra',
      'tests',
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  const report = JSON.parse(run.stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
    modules: { source: string }[];
  };
  const read = report.modules.filter(
    (module) => module.source.endsWith('.ts') && !module.source.includes('node_modules'),
  );
  expect(report.summary.violations.map((v) => `${v.rule.name}: ${v.from} → ${v.to}`)).toEqual([]);
  expect(read.length).toBeGreaterThan(fewestFiles);
}, 120_000);
