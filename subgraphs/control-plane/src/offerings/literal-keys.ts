/** Keys and tokens that are known by their shape, and what they are. No pattern repeats without a bound: the text is a stranger's. */
const shapes: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ['a JSON Web Token', /[\w-]{8}\.eyJ[\w-]{8}/],
  ['an API key', /\b[prs]k[-_][\w-]{16}/],
  ['a GitHub token', /\b(?:gh[oprsu]_|github_pat_)\w{20}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a Google API key', /\bAIza[\w-]{35}/],
  ['a Slack token', /\bxox[abeoprs]-[\w-]{10}/],
  ['a GitLab token', /\bglpat-[\w-]{16}/],
  ['a Vault token', /\bhv[brs]\.[\w-]{20}/],
];

/** A key of a kind nobody told us of: a long word of all sorts of characters without any order. */
const isRandom = (word: string): boolean =>
  /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word) && entropy(word) >= 4.2;

/** What a literal key or token inside this value seems to be; undefined when there is none. Looks into lists and objects; embedded files look random and are let through. */
export function literalKeyIn(value: unknown): string | undefined {
  const left = [value];
  while (left.length) {
    const next = left.pop();
    if (typeof next === 'object' && next !== null)
      for (const [name, member] of Object.entries(next)) left.push(name, member);
    if (typeof next !== 'string') continue;
    const shape = shapes.find(([, pattern]) => pattern.test(next));
    if (shape) return shape[0];
    if (!next.startsWith('data:') && next.match(/[\w-]{32,}/g)?.some(isRandom)) return 'a random word';
  }
  return undefined;
}

/** Shannon's, bits per character. */
function entropy(word: string): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / word.length);
  return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}
