import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { words as ar } from './ar.ts';
import { words as de } from './de.ts';
import { words as en } from './en.ts';
import { inSiteWords, placeholders, siteWordCharacters } from './in-site-words.ts';
import type { SiteWords, Words } from './words.ts';

const warn = vi.fn<(text: string) => void>();
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(warn));
afterEach(() => {
  vi.restoreAllMocks();
  warn.mockReset();
});

/** All words by key, each said of its own placeholders. */
function spoken({
  locale: _locale,
  dir: _dir,
  troubles,
  failures,
  ...others
}: Words): Record<string, string> {
  const under = (group: string, words: object) =>
    Object.entries(words).map(([name, text]) => [`${group}.${name}`, text as string]);
  const said = Object.entries(others).map(([key, word]) => [
    key,
    typeof word === 'string'
      ? word
      : (word as (...values: readonly string[]) => string)(...placeholders[key as keyof typeof placeholders]),
  ]);
  return Object.fromEntries([
    ...said,
    ...under('troubles', troubles),
    ...under('failures', failures),
  ]) as Record<string, string>;
}

it('says every word as the site does', () => {
  const site = Object.fromEntries(Object.entries(spoken(en)).map(([key, text]) => [key, `Our ${text}`]));
  expect(Object.keys(site).length).toBeGreaterThan(70);
  expect(spoken(inSiteWords(en, site))).toEqual(site);
  expect(warn).not.toHaveBeenCalled();
});

it('leaves the rest in the language at hand, and the language as it is', () => {
  const words = inSiteWords(de, { send: 'Ab die Post', 'troubles.paused': 'Wir schlafen.' });
  expect(spoken(words)).toEqual({ ...spoken(de), send: 'Ab die Post', 'troubles.paused': 'Wir schlafen.' });
  expect(words).toMatchObject({ locale: 'de', dir: 'ltr' });
  expect(de.troubles.paused).not.toBe('Wir schlafen.');
});

it('puts numbers in as the language writes them, and what a word is said of where the site wants it', () => {
  const site: SiteWords = {
    toolsUsed: 'Helpers: # (#)',
    source: '{name} = {number}',
    fileTooLarge: '{limit} < {name}, #1 {other}',
  };
  expect(inSiteWords(de, site).toolsUsed(1_234)).toBe('Helpers: 1.234 (1.234)');
  expect(inSiteWords(ar, site).toolsUsed(12)).toBe(
    `Helpers: ${(12).toLocaleString('ar')} (${(12).toLocaleString('ar')})`,
  );
  expect(inSiteWords(en, site).source(3, 'Terms')).toBe('Terms = 3');
  expect(inSiteWords(en, site).fileTooLarge('{limit} $& #', '2 kB')).toBe('2 kB < {limit} $& #, #1 {other}');
});

it('says once what it does not use, and goes on in its own words', () => {
  const site: Record<string, unknown> = {
    nothing: 'x',
    locale: 'xx',
    troubles: 'x',
    'troubles.none': 'x',
    'open.x': 'x',
    toString: 'x',
    ['__proto__']: 'x',
    close: 7,
    send: ' ',
    stop: 'Halt',
  };
  expect(spoken(inSiteWords(en, site as SiteWords))).toEqual({ ...spoken(en), stop: 'Halt' });
  expect(warn.mock.calls).toEqual([
    [
      'AgentStore: not used as words: nothing, locale, troubles, troubles.none, open.x, toString, __proto__, close, send',
    ],
  ]);
});

it('cuts what is too long, between two characters', () => {
  expect(inSiteWords(en, { open: 'x'.repeat(siteWordCharacters) }).open).toHaveLength(siteWordCharacters);
  const cut = inSiteWords(en, { open: '😀'.repeat(siteWordCharacters + 1) }).open;
  expect(cut).toBe('😀'.repeat(siteWordCharacters));
});
