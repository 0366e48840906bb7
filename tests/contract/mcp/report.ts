import type { Expected, Revision, Role, ScenarioResult } from './conformance.ts';

/** What one run of the suite came to. */
export interface Part {
  readonly role: Role;
  readonly revision: Revision;
  readonly results: readonly ScenarioResult[];
  readonly expected: readonly Expected[];
}

const subjects: Readonly<Record<Role, string>> = {
  server: 'the gateway as a server (the fixture of the suite behind it)',
  client: 'the gateway as a client of upstream servers',
};

/** `docs/conformance.md`. A scenario that fails says which checks do; how many of its others ran may vary, so that is not said. */
export const reportOf = (version: string, parts: readonly Part[]): string =>
  [
    '# Conformance to MCP',
    '',
    `What \`@modelcontextprotocol/conformance\` ${version} finds: its frozen set of each revision at that revision's own wire. This page is written by`,
    '`UPDATE_DOCS=1 npm run test:contract -- tests/contract/mcp`, and the same test fails when it says something else, when a scenario fails that is not in',
    '`tests/contract/mcp/expected-failures-*.yaml`, and when one that is there passes. Scenarios that the set does not score (extensions, pending ones) stand here too.',
    ...parts.flatMap(sectionOf),
    '',
  ].join('\n');

function sectionOf({ role, revision, results, expected }: Part): string[] {
  const failing = results.filter(({ failed }) => failed.length > 0);
  const asExpected = failing.filter((result) => reasonsOf(result, expected) !== '').length;
  return [
    '',
    `## ${revision}: ${subjects[role]}`,
    '',
    `Of ${results.length} scenarios ${results.length - failing.length} pass, ${asExpected} fail as expected, ${failing.length - asExpected} fail and are not scored.`,
    '',
    '| scenario | checks | result | why |',
    '|---|---|---|---|',
    ...results.map((result) => rowOf(result, reasonsOf(result, expected))),
  ];
}

const reasonsOf = ({ scenario }: ScenarioResult, expected: readonly Expected[]): string => {
  const own = expected.filter(({ entry }) => entry.split(':')[0] === scenario);
  return [...new Set(own.map(({ why }) => why))].join('; ');
};

function rowOf({ scenario, passed, failed }: ScenarioResult, reasons: string): string {
  if (failed.length === 0) return `| ${scenario} | ${passed || 'none applies'} | passes | |`;
  return `| ${scenario} | | fails: ${failed.join(', ')} | ${reasons || 'not scored'} |`;
}
