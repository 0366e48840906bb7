import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const attackCount = 25;

/** What is wrong with a table of attacks: a missing row, a state that is none, a test that is named and not there. */
function faultsOf(table: string, read: (file: string) => string | undefined): string[] {
  const rows = table
    .split('\n')
    .filter((line) => /^\| *\d/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const numbers = rows.map((cells) => Number(cells[1]));
  const missing = Array.from({ length: attackCount }, (_, n) => n + 1).filter((n) => !numbers.includes(n));
  return [
    ...missing.map((n) => `attack ${n} is missing`),
    ...rows.flatMap((cells) =>
      faultsOfState(cells[4] ?? '', read).map((fault) => `attack ${cells[1]}: ${fault}`),
    ),
  ];
}

function faultsOfState(state: string, read: (file: string) => string | undefined): string[] {
  if (/^comes later: \S/.test(state)) return [];
  if (!state.startsWith('tested: ')) return [`it is neither tested nor comes later: ${state}`];
  return state
    .slice('tested: '.length)
    .split('<br>')
    .flatMap((named) => {
      const [file = '', title = ''] = named.trim().split(' › ');
      const text = read(file);
      if (text === undefined) return [`there is no file ${file}`];
      return title && hasTest(text, title) ? [] : [`${file} has no test ${title}`];
    });
}

/** A title stands as the first argument of `it`, `it.each(…)` or `describe`. */
const hasTest = (text: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) =>
    text
      .split(`${quote}${title}${quote},`)
      .slice(0, -1)
      .some((before) => before.trimEnd().endsWith('(')),
  );

const readFile = (file: string): string | undefined => {
  const at = path.join(root, file);
  return file && fs.existsSync(at) ? fs.readFileSync(at, 'utf8') : undefined;
};

it('every attack is tested by tests that are there, or says why it comes later', () => {
  expect(faultsOf(fs.readFileSync(path.join(root, 'tests/attacks.md'), 'utf8'), readFile)).toEqual([]);
});

it.each([
  ['a test that is there', 'tested: a.test.ts › refuses it', []],
  [
    'tests that are there, one of them for each of many',
    "tested: a.test.ts › refuses it<br>a.test.ts › doesn't %s",
    [],
  ],
  ['a reason', 'comes later: with the widget', []],
  ['a test that is not there', 'tested: a.test.ts › refuses', ['attack 1: a.test.ts has no test refuses']],
  ['a file that is not there', 'tested: b.test.ts › refuses it', ['attack 1: there is no file b.test.ts']],
  ['a file without a title', 'tested: a.test.ts', ['attack 1: a.test.ts has no test ']],
  ['no reason', 'comes later:', ['attack 1: it is neither tested nor comes later: comes later:']],
  ['nothing', '', ['attack 1: it is neither tested nor comes later: ']],
])('reads a row with %s', (_what, state, faults) => {
  const others = Array.from({ length: attackCount - 1 }, (_, n) => `| ${n + 2} | a | b | comes later: x |`);
  const table = [`| 1 | an attack | an answer | ${state} |`, ...others].join('\n');
  const tests = `it('refuses it', () => 1);\nit.each([1])(\n  "doesn't %s",\n  () => 1);`;
  expect(faultsOf(table, (file) => (file === 'a.test.ts' ? tests : undefined))).toEqual(faults);
});

it('misses a row that was taken out', () => {
  expect(faultsOf('| 1 | a | b | comes later: x |', () => undefined)).toHaveLength(attackCount - 1);
});
