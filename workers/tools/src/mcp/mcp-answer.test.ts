import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { toolRefusals, type ToolRefusalCode } from '../calls/refusals.ts';
import { jsonRpcCodeOf, mcpFormOf, toolErrorOf } from './mcp-answer.ts';

const page = path.join(import.meta.dirname, '../../../../docs/protocol-tools.md');
const head = '| code | REST | 2026-07-28 | with a handshake | means |\n|---|---|---|---|---|\n';

function rowOf(code: ToolRefusalCode): string {
  const { status, means } = toolRefusals[code];
  const error = `\`${jsonRpcCodeOf(code)}\``;
  const told =
    code === 'UNAUTHENTICATED'
      ? ['401', '401']
      : mcpFormOf(code) === 'TOOL_ERROR'
        ? ['result', 'result']
        : [`${status} ${error}`, `200 ${error}`];
  return `| \`${code}\` | ${status} | ${told.join(' | ')} | ${means} |\n`;
}

test('docs/protocol-tools.md says how each code is told', () => {
  const rows = Object.keys(toolRefusals).map((code) => rowOf(code as ToolRefusalCode));
  const text = fs.readFileSync(page, 'utf8');
  const [before, table = ''] = text.split(head);
  const after = table.slice(table.indexOf('\n## '));
  const right = `${before}${head}${rows.join('')}${after}`;
  if (process.env['UPDATE_DOCS'] === '1') fs.writeFileSync(page, right);
  expect(fs.readFileSync(page, 'utf8')).toBe(right);
});

test('facts of a refusal cannot stand in for its code or its audit entry', () => {
  const { structuredContent } = toolErrorOf({
    ok: false,
    auditId: 'the-entry',
    code: 'INVALID_ARGUMENTS',
    message: 'no',
    facts: { code: 'OK', auditId: 'another', path: '/n' },
  });
  expect(structuredContent).toEqual({ code: 'INVALID_ARGUMENTS', auditId: 'the-entry', path: '/n' });
});
