import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fewestFiles, readImports } from '../../infra/check/imports.ts';

/** One broken import per line, beside its rule: where it stands and what it asks for. */
const planted: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['no-cycles', 'router/src/chicken.ts', './egg.ts'],
  ['kernel-imports-nobody', 'kernel/src/access.ts', '../../subgraphs/runs/src/deps.ts'],
  ['subgraphs-are-strangers', 'subgraphs/billing/src/app.ts', '../../runs/src/deps.ts'],
  ['subgraphs-run-without-infra', 'subgraphs/billing/src/connect.ts', '../../../infra/db/tool.ts'],
  ['workers-are-strangers', 'workers/runner/src/app.ts', '../../../subgraphs/runs/src/deps.ts'],
  ['router-knows-sdl-only', 'router/src/app.ts', '../../subgraphs/runs/src/deps.ts'],
  ['widget-runs-in-browsers', 'widget/app/chat/talk.ts', '../../../kernel/src/caller.ts'],
  ['widget-runs-in-browsers', 'widget/loader/boot.ts', 'graphql'],
  ['domain-knows-no-transport', 'subgraphs/runs/src/runs/start-run.ts', 'graphql'],
  ['domain-knows-no-transport', 'subgraphs/runs/src/runs/cancel-run.ts', 'node:http'],
  ['domain-knows-no-transport', 'subgraphs/runs/src/runs/end-run.ts', 'undici'],
  ['domain-knows-no-transport', 'subgraphs/runs/src/runs/take-run.ts', '@agentstore/kernel/http/client'],
  ['stores-know-no-transport', 'subgraphs/runs/src/runs/runs.store.ts', 'hono'],
  ['decisions-are-pure', 'subgraphs/runs/src/runs/run.ts', './runs.store.ts'],
  ['decisions-are-pure', 'workers/runner/src/orders/order.ts', 'node:fs'],
  ['only-stores-write-queries', 'workers/runner/src/runs/claim-runs.task.ts', 'drizzle-orm'],
  ['only-stores-touch-tables', 'subgraphs/runs/src/runs/read-run.ts', './runs.table.ts'],
  ['kernel-is-the-door', 'workers/runner/src/runs/measure-run.ts', '@opentelemetry/api'],
  ['kernel-is-the-door', 'kernel/src/vault/transport.ts', 'node-vault'],
  ['testing-stays-in-tests', 'router/src/serve.ts', './testing/neighbours.ts'],
  ['nobody-imports-main', 'infra/db/start.ts', '../../workers/runner/src/main.ts'],
];

/** The same joints as the rules allow them: none of these may be called broken. */
const sound: readonly (readonly [from: string, to: string])[] = [
  ['router/src/egg.ts', './chicken.ts'],
  ['widget/app/theme/dress.ts', '../../../kernel/src/colour/palette.ts'],
  ['subgraphs/runs/src/runs/runs.graphql.ts', 'graphql'],
  ['subgraphs/runs/src/runs/runs.table.ts', 'drizzle-orm'],
  ['kernel/src/telemetry-otlp.ts', '@opentelemetry/api'],
  ['kernel/src/vault/vault-calls.ts', 'node-vault'],
  ['subgraphs/runs/src/runs/list-runs.ts', '@agentstore/kernel/service-client'],
  ['subgraphs/runs/src/conversations/conversations.store.ts', '../../../../kernel/src/graphql/connection.ts'],
];

const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'imports-'));
afterAll(() => fs.rmSync(tree, { recursive: true, force: true }));

function write(file: string, text: string): void {
  const at = path.join(tree, file);
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.writeFileSync(at, text);
}

it('keeps every import inside the rules of the house, over all source files', () => {
  const found = readImports();
  expect(found.violations).toEqual([]);
  expect(found.filesRead).toBeGreaterThan(fewestFiles);
}, 120_000);

it('has a broken import for every rule', async () => {
  const { default: rules } = (await import(
    path.join(import.meta.dirname, '../../.dependency-cruiser.js')
  )) as {
    default: { forbidden: readonly { readonly name: string }[] };
  };
  expect(new Set(planted.map(([rule]) => rule))).toEqual(new Set(rules.forbidden.map(({ name }) => name)));
});

it('calls each kind of broken import by its rule, and nothing else', () => {
  for (const name of ['graphql', 'undici', 'hono', 'drizzle-orm', 'node-vault', '@opentelemetry/api']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  write(
    'kernel/package.json',
    JSON.stringify({ name: '@agentstore/kernel', exports: { './*': './src/*.ts' } }),
  );
  write('node_modules/@agentstore/.keep', '');
  fs.symlinkSync('../../kernel', path.join(tree, 'node_modules/@agentstore/kernel'));
  for (const file of [
    'kernel/src/http/client.ts',
    'kernel/src/service-client.ts',
    'kernel/src/caller.ts',
    'kernel/src/colour/palette.ts',
    'kernel/src/graphql/connection.ts',
    'subgraphs/runs/src/deps.ts',
    'infra/db/tool.ts',
    'router/src/testing/neighbours.ts',
    'workers/runner/src/main.ts',
  ])
    write(file, 'export {};\n');
  for (const [from, to] of [...planted.map(([, from, to]) => [from, to] as const), ...sound])
    write(from, `import '${to}';\n`);

  const found = readImports({
    directory: tree,
    folders: ['kernel', 'subgraphs', 'router', 'widget', 'workers', 'infra'],
  });
  expect(found.violations).toHaveLength(planted.length);
  expect(new Set(found.violations.map((violation) => violation.split(' → ')[0]))).toEqual(
    new Set(planted.map(([rule, from]) => `${rule}: ${from}`)),
  );
}, 60_000);
