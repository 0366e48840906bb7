import { expect, it } from 'vitest';
import { words as ar } from './ar.ts';
import { words as de } from './de.ts';
import { words as en } from './en.ts';
import { words as es } from './es.ts';
import { words as fr } from './fr.ts';
import { pickWords } from './pick-words.ts';

/** Every string there is, by its path; of counted ones those for numbers of each plural. */
function* texts(value: unknown, path = ''): Iterable<readonly [path: string, text: string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'function')
    for (const count of [0, 1, 2, 3, 11, 100, 1_000])
      yield [`${path}(${count})`, value(count, 'x') as string];
  else for (const [name, inner] of Object.entries(value as object)) yield* texts(inner, `${path}.${name}`);
}

it.each([en, de, fr, es, ar])('says everything in $locale', (words) => {
  expect([...texts(words)].filter(([, text]) => !text.trim() || text.includes('#'))).toEqual([]);
});

it.each([de, fr, es, ar])('says almost nothing in English in $locale', (words) => {
  const english = new Map(texts(en));
  const same = [...texts(words)].filter(([path, text]) => text.length > 12 && english.get(path) === text);
  expect(same).toEqual([]);
});

it.each([
  [['fr-CA', 'de'], 'fr'],
  [['pt-BR', 'es_MX'], 'es'],
  [['AR'], 'ar'],
  [['en-GB', 'de'], 'en'],
  [['constructor', 'xx', ''], 'en'],
  [[], 'en'],
])('picks of %j: %s', async (wanted, locale) => {
  await expect(pickWords(wanted)).resolves.toMatchObject({ locale });
});
