// @vitest-environment happy-dom
import { Session } from 'node:inspector/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawn } from './testing/drawn.ts';

/** Texts that make a careless parser read the same again and again, by their length. */
const texts: Readonly<Record<string, (length: number) => string>> = {
  stars: (n) => '*'.repeat(n),
  'stars around': (n) => `${'*'.repeat(n / 2)}a${'*'.repeat(n / 2)}`,
  'openers of emphasis': (n) => '*a '.repeat(n / 3),
  'closers of emphasis': (n) => 'a* '.repeat(n / 3),
  'openers that no closer fits': (n) => 'a **b'.repeat(n / 10) + ' c*'.repeat(n / 6),
  'mixed runs': (n) => '*a _b ~~c '.repeat(n / 10),
  'emphasis in emphasis': (n) => '*a **b '.repeat(n / 14) + ' c** d*'.repeat(n / 14),
  brackets: (n) => '['.repeat(n),
  'brackets in brackets': (n) => `${'['.repeat(n / 2)}${']'.repeat(n / 2)}`,
  images: (n) => '!['.repeat(n / 4) + 'a'.repeat(n / 4) + '](b)'.repeat(n / 8),
  'links that do not end': (n) => '[a](b'.repeat(n / 5),
  'titles that do not end': (n) => '[a](b "'.repeat(n / 7),
  'links after brackets': (n) => '['.repeat(n / 2) + '[a](b)'.repeat(n / 12),
  fences: (n) => Array.from({ length: Math.sqrt(n) }, (_, length) => `${'`'.repeat(length)} `).join(''),
  'escaped fences': (n) => '\\``a'.repeat(n / 4),
  'angle brackets': (n) => '<a:'.repeat(n / 3),
  entities: (n) => '&a'.repeat(n / 2),
  words: (n) => 'a'.repeat(n),
  'half addresses': (n) => 'a@b.'.repeat(n / 4),
  'addresses with parentheses': (n) => `https://b.example/${'('.repeat(n / 2)}${')'.repeat(n / 2)}`,
  quotes: (n) => '>'.repeat(n),
  'quotes and lines': (n) => `${'> '.repeat(n / 4)}a\n`.concat('> a\n'.repeat(n / 8)),
  lists: (n) => '- '.repeat(n / 2),
  'lists, deeper by line': (n) =>
    Array.from({ length: Math.sqrt(n) }, (_, depth) => `${' '.repeat(depth * 2)}- a`).join('\n'),
  tabs: (n) => `${'\t'.repeat(n / 2)}a\n- ${'\t'.repeat(n / 2)}`,
  lines: (n) => 'a\n'.repeat(n / 2),
  'rules of tables': (n) => '|-|\n|-|-|\n'.repeat(n / 10),
  'wide tables': (n) => `${'|a'.repeat(n / 8)}\n${'|-'.repeat(n / 8)}\n${'|b\n'.repeat(n / 8)}`,
  'hashes at the end': (n) => `# ${'#'.repeat(n)}a`,
  'almost rules': (n) => `${'* '.repeat(n / 2)}a`,
};
const session = new Session();

/** How often blocks of the parser's code ran while a text was drawn. */
async function steps(markdown: string): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  drawn(markdown);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => url.includes('/app/markdown/') && !url.includes('test'))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
    .reduce((sum, count) => sum + count, 0);
}

describe('a text whose steps are counted', () => {
  beforeAll(async () => {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  });
  // Counting slows all code down.
  afterAll(() => session.disconnect());

  it.each(Object.entries(texts))(
    '%s: twice as long takes some twice as many steps, not four times as many',
    async (_, text) => {
      const [once, twice] = [await steps(text(3_000)), await steps(text(6_000))];
      expect(once).toBeGreaterThan(0);
      expect(twice / once).toBeLessThan(3);
    },
  );
});

it.each([
  'stars',
  'stars around',
  'brackets',
  'brackets in brackets',
  'quotes',
  'lists',
  'words',
  'hashes at the end',
])('%s: twenty thousand characters are drawn', (name) => {
  expect(drawn(texts[name]!(20_000)).querySelectorAll('*').length).toBeGreaterThan(0);
});
