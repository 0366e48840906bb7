/** The named characters that people and models write. The other two thousand of HTML stay as they were typed: their table alone is larger than the app. */
const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  hellip: '…',
  mdash: '—',
  euro: '€',
};

/** A character reference, or a backslash before ASCII punctuation. */
const escaped = /\\([!-/:-@[-`{-~])|&(?:#(\d{1,7}|[xX][\da-fA-F]{1,6})|(\w{1,31}));/g;

/** Text as it is meant: backslash escapes and character references resolved. */
export function unescape(text: string): string {
  return text.replace(escaped, (whole, mark?: string, code?: string, name?: string) =>
    code
      ? character(Number(code.replace(/x/i, '0x')))
      : (mark ?? (Object.hasOwn(named, name!) ? named[name!]! : whole)),
  );
}

function character(code: number): string {
  return !code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
    ? '\ufffd'
    : String.fromCodePoint(code);
}
