// @vitest-environment happy-dom
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hostile } from './testing/hostile.ts';
import { drawn, html, offences } from './testing/drawn.ts';

it('has enough of them', () => {
  expect(new Set(hostile).size).toBeGreaterThanOrEqual(300);
});

it.each(hostile)('%j stays text', (markdown) => {
  const whole = drawn(markdown);
  expect(offences(whole)).toEqual([]);
  expect(
    whole.querySelector('a[href*="alert"], a[href*="msgbox"]')?.getAttribute('href') ?? 'https:',
  ).toMatch(/^https?:/);
  const chars = drawn(...markdown.split(''));
  expect(offences(chars)).toEqual([]);
  expect(html(chars)).toBe(html(whole));
});

it('draws the same in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...hostile),
      fc.constantFrom(...hostile),
      fc.constantFrom('', '\n', '\n\n', ' ', '*', '[', '`'),
      fc.array(fc.nat(), { maxLength: 6 }),
      (one, other, between, cuts) => {
        const text = `${one}${between}${other}`;
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const container = drawn(...pieces);
        expect(offences(container)).toEqual([]);
        expect(html(container)).toBe(html(drawn(text)));
      },
    ),
    { numRuns: 400 },
  );
});
