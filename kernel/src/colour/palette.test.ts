import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseHex, toHex, toOklch } from './oklch.ts';
import { paletteOf, type Palette, type Scheme } from './palette.ts';

/** Apart from the code that is tested: WCAG 2.2, "relative luminance" and "contrast ratio", as they stand there. */
function wcagRatio(one: string, other: string): number {
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5]
      .map((at) => Number(`0x${hex.slice(at, at + 2)}`) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4))) as [
      number,
      number,
      number,
    ];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

type Pair = readonly [drawn: keyof Palette, on: keyof Palette];
const texts: readonly Pair[] = [
  ['text', 'surface'],
  ['mutedText', 'surface'],
  ['mutedText', 'agentBubble'],
  ['agentText', 'agentBubble'],
  ['visitorText', 'visitorBubble'],
  ['launcherText', 'launcher'],
  ['link', 'surface'],
  ['link', 'agentBubble'],
  ['error', 'surface'],
  ['error', 'agentBubble'],
];
const parts: readonly Pair[] = [
  ['border', 'surface'],
  ['border', 'agentBubble'],
  ['launcher', 'surface'],
  ['visitorBubble', 'surface'],
  ['focusRing', 'surface'],
  ['focusRing', 'agentBubble'],
];
const tooFaint = (colours: Palette, pairs: readonly Pair[], least: number): readonly Pair[] =>
  pairs.filter(([drawn, on]) => wcagRatio(colours[drawn], colours[on]) < least);

const colour = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, '0')}`);
const brand = fc.record({ primaryColor: colour, accentColor: colour });
const schemes: readonly Scheme[] = ['light', 'dark'];

it('makes 500 brands readable, light and dark', () => {
  fc.assert(
    fc.property(brand, (asked) => {
      for (const scheme of schemes) {
        const { colours } = paletteOf(asked, scheme);
        expect(Object.values(colours).filter((hex) => !/^#[\da-f]{6}$/.test(hex))).toEqual([]);
        expect([...tooFaint(colours, texts, 4.5), ...tooFaint(colours, parts, 3)]).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

it('moves no more than it takes, keeps the hue, and tells each colour that it moved', () => {
  const from = {
    launcher: 'primaryColor',
    visitorBubble: 'primaryColor',
    link: 'accentColor',
    focusRing: 'accentColor',
  } as const;
  fc.assert(
    fc.property(brand, fc.constantFrom(...schemes), (asked, scheme) => {
      const { colours, repairs } = paletteOf(asked, scheme);
      const told = repairs.map(({ what, asked: was, used }) => [what, was, used]);
      const moved = Object.entries(from).flatMap(([what, field]) =>
        colours[what as keyof Palette] === asked[field]
          ? []
          : [[what, asked[field], colours[what as keyof Palette]]],
      );
      expect(told).toEqual(moved);
      for (const { what, asked: was, used, ratio } of repairs) {
        const least = what === 'link' ? 4.5 : 3;
        const grounds = [colours.surface, colours.agentBubble];
        expect(Math.min(...grounds.map((ground) => wcagRatio(was, ground)))).toBeLessThan(least);
        // A step of eight bits is at most so much of contrast: what is used is the first that holds.
        expect(ratio).toBeGreaterThanOrEqual(least);
        expect(ratio).toBeLessThan(least + 0.1);
        const [, chroma, hue] = toOklch(parseHex(used));
        const [, , before] = toOklch(parseHex(was));
        const turned = Math.abs(Math.atan2(Math.sin(hue - before), Math.cos(hue - before)));
        // The hue of what is almost grey is decided by rounding.
        expect(turned * chroma).toBeLessThan(0.004);
      }
    }),
    { numRuns: 1_000 },
  );
});

it('leaves a brand that is readable as it is', () => {
  const { colours, repairs } = paletteOf({ primaryColor: '#1D4ED8', accentColor: '#06c' }, 'light');
  expect(repairs).toEqual([]);
  expect(colours).toMatchObject({
    launcher: '#1d4ed8',
    launcherText: '#ffffff',
    visitorBubble: '#1d4ed8',
    link: '#0066cc',
    focusRing: '#0066cc',
  });
});

it('darkens yellow on white and lightens navy on black', () => {
  const asked = { primaryColor: '#ffd400', accentColor: '#000080' };
  expect(paletteOf(asked, 'light').repairs.map(({ what }) => what)).toEqual(['launcher', 'visitorBubble']);
  expect(paletteOf(asked, 'dark').repairs.map(({ what }) => what)).toEqual(['link', 'focusRing']);
  expect(paletteOf(asked, 'dark').colours).toMatchObject({ launcher: '#ffd400', launcherText: '#000000' });
});

it.each(['', 'red', '#12', '#12345', '#1234567', '#12345g', 'rgb(0,0,0)', '#fff;', '#ffffff\n', '＃ffffff'])(
  'takes %j for no colour',
  (text) => {
    expect(() => paletteOf({ primaryColor: text, accentColor: '#000' }, 'light')).toThrow(RangeError);
    expect(() => paletteOf({ primaryColor: '#000', accentColor: text }, 'dark')).toThrow(RangeError);
  },
);

it('goes to OKLCH as its author does', () => {
  // https://bottosson.github.io/posts/oklab/#converting-from-linear-srgb-to-oklab, and CSS Color 4's samples for red.
  const [lightness, chroma, hue] = toOklch(parseHex('#ff0000'));
  expect([lightness, chroma, (hue * 180) / Math.PI].map((value) => value.toFixed(3))).toEqual([
    '0.628',
    '0.258',
    '29.234',
  ]);
  fc.assert(
    fc.property(colour, (hex) => {
      expect(toHex(parseHex(hex))).toBe(hex);
    }),
  );
});
