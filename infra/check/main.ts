import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');
const bin = (name: string): string => path.join(root, 'node_modules/.bin', name);

/** Everything that must hold before a change lands, cheapest first. `npm run check -- types lint` runs some of them. */
const checks: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'format', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'lint',
    command: [
      bin('oxlint'),
      '--type-aware',
      '--quiet',
      'kernel',
      'schema',
      'subgraphs',
      'router',
      'widget',
      'workers',
      'infra',
      'tests',
    ],
  },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'types-graphiql', command: [bin('tsc'), '-p', 'router/graphiql'] },
  { name: 'types-widget', command: [bin('tsc'), '-p', 'widget'] },
  { name: 'boundaries', command: [process.execPath, 'infra/check/boundaries.ts'] },
  { name: 'dead-code', command: [bin('knip')] },
  { name: 'size', command: [process.execPath, 'widget/size.ts'] },
  { name: 'sdl', command: [process.execPath, 'schema/print.ts', '--check'] },
  { name: 'compose', command: [process.execPath, 'schema/compose.ts', '--check'] },
  { name: 'config-table', command: [process.execPath, 'infra/docs/config-table.ts', '--check'] },
  { name: 'lockfile', command: ['npm', 'ci', '--dry-run', '--no-audit', '--no-fund', '--silent'] },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length) {
  process.stderr.write(
    `No such check: ${unknown.join(', ')}. There are: ${checks.map((check) => check.name).join(', ')}.\n`,
  );
  process.exit(2);
}

const failed: string[] = [];
for (const check of checks.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const started = performance.now();
  const run = spawnSync(check.command[0]!, check.command.slice(1), {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const ok = run.status === 0;
  if (!ok) failed.push(check.name);
  process.stdout.write(
    `${ok ? '✓' : '✗'} ${check.name.padEnd(14)} ${((performance.now() - started) / 1_000).toFixed(1)} s\n`,
  );
  if (!ok) process.stdout.write(`${run.stdout}${run.stderr}${run.error ? `${run.error.message}\n` : ''}\n`);
}
if (failed.length)
  process.stdout.write(`\nFailed: ${failed.join(', ')}. Each runs alone: npm run check -- ${failed[0]}\n`);
process.exitCode = failed.length ? 1 : 0;
