import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseDocument, isScalar, isSeq } from 'yaml';
import { z } from 'zod';

export const revisions = ['2026-07-28', '2025-11-25'] as const;
export const roles = ['server', 'client'] as const;
export type Revision = (typeof revisions)[number];
export type Role = (typeof roles)[number];

const suite = path.join(
  import.meta.dirname,
  '../../../node_modules/@modelcontextprotocol/conformance/dist/index.js',
);
const baselineOf = (revision: Revision): string =>
  path.join(import.meta.dirname, `expected-failures-${revision}.yaml`);

const check = z.object({ id: z.string(), status: z.string() });

/** What came of one scenario. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly passed: number;
  readonly failed: readonly string[];
}

/** A failure that is as it should be, and why. `entry` is `scenario` or `scenario:check`. */
export interface Expected {
  readonly entry: string;
  readonly why: string;
}

/** The baseline of a revision; throws for an entry without a reason. */
export function expectedFailures(revision: Revision, role: Role): Expected[] {
  const entries = parseDocument(fs.readFileSync(baselineOf(revision), 'utf8')).get(role);
  if (!isSeq(entries)) throw new Error(`the baseline of ${revision} says nothing of the ${role}`);
  return entries.items.map((item) => {
    const why = isScalar(item) ? item.comment?.trim() : undefined;
    if (!isScalar(item) || !why) throw new Error(`an entry of ${revision} has no reason: ${String(item)}`);
    return { entry: String(item.value), why };
  });
}

/**
 * Runs the frozen set of a revision at its own wire. `unexpected` is what the suite printed last when, by its own verdict, something failed that is not in the
 * baseline or passed that is; empty otherwise.
 */
export async function runSuite(
  role: Role,
  revision: Revision,
  subject: string,
): Promise<{
  readonly unexpected: string;
  readonly results: readonly ScenarioResult[];
}> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-mcp-conformance-'));
  try {
    const { code, said } = await run([
      suite,
      role,
      role === 'server' ? '--url' : '--command',
      subject,
      '--requirements',
      revision,
      '--expected-failures',
      baselineOf(revision),
      '--output-dir',
      folder,
    ]);
    return { unexpected: code === 0 ? '' : said.slice(-6_000), results: resultsIn(folder) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { maxBuffer: 50_000_000, timeout: 280_000 },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, said: stdout + stderr }),
    );
  });
}

/** Every scenario's `checks.json`; a folder is named by the scenario and the time, and `auth/…` lies a level deeper. */
function resultsIn(folder: string): ScenarioResult[] {
  const files = fs.globSync('**/checks.json', { cwd: folder });
  const results = files.map((file): ScenarioResult => {
    const checks = z.array(check).parse(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')));
    const of = (...statuses: string[]): string[] =>
      checks.filter(({ status }) => statuses.includes(status)).map(({ id }) => id);
    return {
      scenario: path
        .dirname(file)
        .replace(/^server-/, '')
        .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ''),
      passed: of('SUCCESS').length,
      failed: [...new Set(of('FAILURE', 'WARNING'))],
    };
  });
  return results.sort((a, b) => (a.scenario < b.scenario ? -1 : 1));
}
