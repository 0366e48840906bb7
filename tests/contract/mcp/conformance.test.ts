import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '@modelcontextprotocol/conformance/package.json' with { type: 'json' };
import { expectedFailures, revisions, roles, runSuite } from './conformance.ts';
import { openGateway } from './gateway.ts';
import { reportOf, type Part } from './report.ts';

const page = path.join(import.meta.dirname, '../../../docs/conformance.md');
const client = `${process.execPath} ${path.join(import.meta.dirname, 'upstream-client.ts')}`;
const runs = revisions.flatMap((revision) => roles.map((role) => ({ revision, role })));
const parts: Part[] = [];

let gateway: Awaited<ReturnType<typeof openGateway>>;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway?.close());

test.each(runs)(
  '$role, revision $revision: what fails is what is expected to fail',
  { timeout: 300_000 },
  async ({ role, revision }) => {
    const { unexpected, results } = await runSuite(role, revision, role === 'server' ? gateway.url : client);
    parts.push({ role, revision, results, expected: expectedFailures(revision, role) });
    expect(unexpected).toBe('');
  },
);

test('docs/conformance.md says what was found', () => {
  expect(parts).toHaveLength(runs.length);
  const report = reportOf(manifest.version, parts);
  if (process.env['UPDATE_DOCS'] === '1') fs.writeFileSync(page, report);
  expect(fs.readFileSync(page, 'utf8')).toBe(report);
});
