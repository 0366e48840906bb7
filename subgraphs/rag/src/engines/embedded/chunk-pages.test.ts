import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Block, Page } from '../../extraction/extracted-page.ts';
import { chunkPages, chunkSizes } from './chunk-pages.ts';

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Each word of a document once, so that where it went can be told. */
const documents: fc.Arbitrary<Page[]> = fc
  .array(
    fc.array(
      fc.record({
        kind: fc.constantFrom<Block['kind']>('heading', 'paragraph', 'list', 'table', 'code'),
        level: fc.integer({ min: 1, max: 6 }),
        words: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 700 })),
        sentence: fc.integer({ min: 1, max: 90 }),
      }),
      { maxLength: 8 },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pages) => {
    let word = 0;
    return pages.map((blocks, index) => ({
      page: index + 1,
      blocks: blocks.map(({ kind, level, words, sentence }) => ({
        kind,
        level,
        text: Array.from(
          { length: words },
          (_, at) => `w${word++}${at % sentence === sentence - 1 ? '.' : ''}`,
        ).join(' '),
      })),
    }));
  });

const numberOf = (word: string): number => Number.parseInt(word.slice(1), 10);

describe('chunks of pages', () => {
  test('hold every word in its order, and repeat no more than the overlap', () => {
    fc.assert(
      fc.property(documents, (pages) => {
        let next = 0;
        for (const { text } of chunkPages(pages)) {
          const numbers = wordsOf(text).map(numberOf);
          expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
          expect(numbers[0]).toBeLessThanOrEqual(next);
          expect(next - numbers[0]!).toBeLessThanOrEqual(chunkSizes.overlap);
          expect(numbers.at(-1)).toBeGreaterThanOrEqual(next);
          next = numbers.at(-1)! + 1;
        }
        expect(next).toBe(
          wordsOf(pages.flatMap(({ blocks }) => blocks.map(({ text }) => text)).join(' ')).length,
        );
      }),
    );
  });

  test('are bounded and say the page that all of their text is on', () => {
    fc.assert(
      fc.property(documents, (pages) => {
        for (const { text, page } of chunkPages(pages)) {
          const words = wordsOf(text);
          expect(words.length).toBeLessThanOrEqual(chunkSizes.max);
          expect(text.length).toBeLessThanOrEqual(chunkSizes.maxChars);
          const onPage = new Set(
            wordsOf(
              pages
                .find((one) => one.page === page)!
                .blocks.map((block) => block.text)
                .join(' '),
            ),
          );
          expect(words.filter((word) => !onPage.has(word))).toEqual([]);
        }
      }),
    );
  });

  test('keep the headings above them, over pages too', () => {
    const chunks = chunkPages([
      {
        page: 1,
        blocks: [
          { kind: 'heading', level: 1, text: 'Manual' },
          { kind: 'heading', level: 2, text: 'Safety' },
          { kind: 'paragraph', text: 'Steam can scald.' },
          { kind: 'heading', level: 2, text: 'Care' },
          { kind: 'paragraph', text: 'Rinse it.' },
        ],
      },
      { page: 2, blocks: [{ kind: 'paragraph', text: 'Then dry it.' }] },
    ]);
    expect(chunks).toEqual([
      { text: 'Manual\n\nSafety\n\nSteam can scald.', headings: ['Manual', 'Safety'], page: 1 },
      { text: 'Care\n\nRinse it.', headings: ['Manual', 'Care'], page: 1 },
      { text: 'Then dry it.', headings: ['Manual', 'Care'], page: 2 },
    ]);
  });

  test('cut a word without an end, and part no character', () => {
    const endless = '😀'.repeat(5_000);
    const chunks = chunkPages([{ page: null, blocks: [{ kind: 'paragraph', text: endless }] }]);
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.every(({ text }) => text.length <= chunkSizes.maxChars && text.isWellFormed())).toBe(true);
  });

  test('keep the lines of code and rows of a table', () => {
    const [chunk] = chunkPages([
      {
        page: null,
        blocks: [
          { kind: 'code', text: 'if (a)\n  b()' },
          { kind: 'table', text: 'Lamps | 3' },
          { kind: 'table', text: 'Knives | 25' },
        ],
      },
    ]);
    expect(chunk?.text).toBe('if (a)\n  b()\nLamps | 3\nKnives | 25');
  });
});
