import { words as english } from './en.ts';
import type { Words } from './words.ts';

/** Every language but English is a chunk of its own: a visitor loads one at most. */
const packs: Readonly<Record<string, () => Promise<{ readonly words: Words }>>> = {
  de: () => import('./de.ts'),
  fr: () => import('./fr.ts'),
  es: () => import('./es.ts'),
  ar: () => import('./ar.ts'),
};

const spoken = (base: string): boolean => base === english.locale || Object.hasOwn(packs, base);
const baseOf = (tag: string): string => tag.toLowerCase().split(/[-_]/)[0]!;

/** The first wanted language (BCP 47 tags, dearest first) that there are words for; English if there is none, or if its chunk does not come. */
export async function pickWords(wanted: readonly string[]): Promise<Words> {
  const load = packs[wanted.map(baseOf).find(spoken) ?? english.locale];
  try {
    return load ? (await load()).words : english;
  } catch {
    return english;
  }
}
