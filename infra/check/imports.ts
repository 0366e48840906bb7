import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');

/** What reading the imports of a tree found: the broken rules (`rule: from → to`), and how many of its own source files were read. */
export interface ImportReport {
  readonly violations: readonly string[];
  readonly filesRead: number;
}

/**
 * Fewer files read than this is a fault: the cruiser reads nothing, reports no violation and exits 0 when its TypeScript is not the one it
 * knows.
 */
export const fewestFiles = 450;

/** Folders with source. */
const folders = ['kernel', 'schema', 'subgraphs', 'router', 'widget', 'workers', 'infra', 'tests'];

/** Holds the imports of a tree (default: this one) against the rules of `.dependency-cruiser.js`. */
export function readImports(
  tree: { readonly directory: string; readonly folders: readonly string[] } = { directory: root, folders },
): ImportReport {
  const run = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      path.join(root, '.dependency-cruiser.js'),
      '--output-type',
      'json',
      ...tree.folders,
    ],
    { cwd: tree.directory, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (!run.stdout) throw new Error(`the imports could not be read: ${run.stderr}`);
  const report = JSON.parse(run.stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] };
    modules: { source: string }[];
  };
  return {
    violations: report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    filesRead: report.modules.filter(
      ({ source }) => source.endsWith('.ts') && !source.includes('node_modules'),
    ).length,
  };
}
