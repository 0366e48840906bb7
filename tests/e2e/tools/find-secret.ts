/** A piece of a place, small enough to be in memory at once. */
export interface Part {
  readonly where: string;
  readonly content: string | Uint8Array;
}

/** What is searched: the log, a database, a repository … */
export type Place = AsyncIterable<Part> | Iterable<Part>;

/** Where a secret lies, and in which spelling. */
export interface Found {
  readonly where: string;
  readonly spelling: string;
}

/** Shorter ones are in any text by chance, in one spelling or another. */
const leastBytes = 12;

/** Every part of a place that holds the secret, as it is or in an encoding that can be read back. */
export async function findSecret(place: Place, secret: string): Promise<Found[]> {
  const spellings = [...spellingsOf(secret)];
  const found: Found[] = [];
  for await (const { where, content } of place) {
    const bytes = Buffer.from(content);
    for (const [spelling, needles] of spellings)
      if (needles.some((needle) => bytes.includes(needle))) found.push({ where, spelling });
  }
  return found;
}

function spellingsOf(secret: string): Map<string, readonly string[]> {
  const bytes = Buffer.from(secret);
  if (bytes.length < leastBytes) throw new Error(`a secret of a test has at least ${leastBytes} bytes`);
  const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(secret);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before) => base64Inside(bytes, before));
  return new Map([
    ['plain', [secret]],
    // JSON in JSON in JSON: a body inside an event inside a log line.
    ['JSON', [escaped(secret), escaped(escaped(secret)), escaped(escaped(escaped(secret)))]],
    ['URL', [url, form, lowerEscapes(url), lowerEscapes(form)]],
    ['hex', [hex, hex.toUpperCase()]],
    ['base64', base64],
    ['base64url', base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))],
  ]);
}

const lowerEscapes = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());

/** The characters that bytes always have in the base64 of something longer, with `before` bytes (0 to 2, modulo 3) in front of them. */
function base64Inside(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
