/** A slug made of a name, as Saleor makes one when none is given. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9\s-]/g, '')
    .trim()
    .replace(/[\s-]+/g, '-');

/** The slug, with a number behind it when it is taken. */
export function freeSlug(slug: string, taken: readonly string[]): string {
  let free = slug;
  for (let n = 2; taken.includes(free); n += 1) free = `${slug}-${n}`;
  return free;
}
