import type { SiteWords, Words } from './words.ts';

/** Of a site's word more is cut off, in characters. */
export const siteWordCharacters = 300;

/** Words that are said of something. */
type Told = {
  [Key in keyof Words]: Words[Key] extends (...values: never[]) => string ? Key : never;
}[keyof Words];

/** What stands in them for what they are said of, in the order of the arguments. */
export const placeholders: Readonly<Record<Told, readonly string[]>> = {
  unread: ['#'],
  agentSaid: ['{name}'],
  charactersLeft: ['#'],
  charactersOver: ['#'],
  removeFile: ['{name}'],
  fileTooLarge: ['{name}', '{limit}'],
  fileNotText: ['{name}'],
  sources: ['#'],
  source: ['{number}', '{name}'],
  page: ['{page}'],
  usingTool: ['{name}'],
  toolsUsed: ['#'],
  rateLimited: ['#'],
};

/** The words with those of the site in their place. What is no word, or says nothing, is left out and named on the console: a button must have its name. */
export function inSiteWords({ locale, dir, troubles, failures, ...others }: Words, site: SiteWords): Words {
  const left = new Map<string, unknown>(Object.entries(site));
  const said = (key: string, own: unknown): unknown => {
    const given = left.get(key);
    if (typeof given !== 'string' || !given.trim()) return own;
    left.delete(key);
    const text = Array.from(given).slice(0, siteWordCharacters).join('');
    return typeof own === 'function' ? told(text, placeholders[key as Told], locale) : text;
  };
  const each = (words: object, group = ''): object =>
    Object.fromEntries(Object.entries(words).map(([name, own]) => [name, said(group + name, own)]));
  const all = {
    locale,
    dir,
    troubles: each(troubles, 'troubles.'),
    failures: each(failures, 'failures.'),
    ...each(others),
  } as Words;
  if (left.size) console.warn(`AgentStore: not used as words: ${[...left.keys()].join(', ')}`);
  return all;
}

/** In one pass: what a name has in it is no placeholder. */
const told =
  (text: string, holes: readonly string[], locale: string) =>
  (...values: readonly (string | number)[]): string =>
    text.replace(/#|\{\w+\}/g, (hole) => {
      const value = values[holes.indexOf(hole)] ?? hole;
      return typeof value === 'number' ? value.toLocaleString(locale) : value;
    });
