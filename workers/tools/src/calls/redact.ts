import type { Secret } from '@agentstore/kernel/vault/secret-store';
import type { ContentBlock, ToolResult } from './tool-call.ts';

/** Shorter values are no secrets that could be told from words. */
const fewestBytes = 4;
export const redactedSecret = '[redacted:secret]';

/** Masks one secret wherever it stands. */
interface Redactor {
  /** The text without the secret; `found` is told each encoding in which it stood there. */
  text(text: string, found: (encoding: string) => void): string;
}

/**
 * A result without the secret that was used for it, in whatever encoding the upstream sent it back; `redactions` says where it stood, e.g. `body:base64`.
 * Values and names of structured content are searched as well.
 */
export function redactResult(
  result: ToolResult,
  secret: Secret | null,
): { readonly result: ToolResult; readonly redactions: readonly string[] } {
  if (!secret) return { result, redactions: [] };
  const redactor = redactorOf(secret);
  const found = new Set<string>();
  const content = result.content.map(
    (block) => walk(block, (text) => redactor.text(text, (how) => found.add(`body:${how}`))) as ContentBlock,
  );
  const masked: ToolResult = {
    isError: result.isError,
    content,
    ...(result.structuredContent === undefined
      ? {}
      : {
          structuredContent: walk(result.structuredContent, (text) =>
            redactor.text(text, (how) => found.add(`structured:${how}`)),
          ),
        }),
  };
  return { result: masked, redactions: [...found].sort() };
}

/** Every text of a value from JSON, names of members too; a number that is the secret is a text then. */
function walk(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'number') {
    const text = String(value);
    const masked = mask(text);
    return masked === text ? value : masked;
  }
  if (Array.isArray(value)) return value.map((part) => walk(part, mask));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [mask(name), walk(part, mask)]));
}

function redactorOf({ fields }: Secret): Redactor {
  const texts = new Map<string, Set<string>>();
  for (const value of fields.values())
    if (value.length >= fewestBytes)
      for (const [encoding, text] of encodingsOf(value)) {
        const known = texts.get(encoding) ?? new Set();
        texts.set(encoding, known.add(text));
      }
  // The longest first: a field may begin like another one.
  const needles = [...texts].flatMap(([encoding, found]) =>
    [...found].sort((a, b) => b.length - a.length).map((needle) => ({ encoding, needle })),
  );
  return {
    text(text, found) {
      let masked = text;
      let small = lowered(masked);
      for (const { encoding, needle } of needles) {
        const without = caseless.has(encoding)
          ? replaced(masked, small, lowered(needle))
          : replaced(masked, masked, needle);
        if (without === masked) continue;
        found(encoding);
        masked = without;
        small = lowered(masked);
      }
      return masked;
    },
  };
}

/** The text with the mask where `searched`, which is the text or its small letters, has the needle. No expression: one for a long secret would be too large. */
function replaced(text: string, searched: string, needle: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = searched.indexOf(needle); at >= 0; at = searched.indexOf(needle, from)) {
    parts.push(text.slice(from, at), redactedSecret);
    from = at + needle.length;
  }
  return from === 0 ? text : parts.concat(text.slice(from)).join('');
}

/** Small letters, each where its capital was: of a text in which one of them is longer, those of ASCII. */
function lowered(text: string): string {
  const all = text.toLowerCase();
  return all.length === text.length ? all : text.replace(/[A-Z]+/g, (some) => some.toLowerCase());
}

const caseless = new Set(['json', 'hex', 'percent', 'escape', 'entity']);

/** The texts by which a secret can stand in a body: as it is, and as programs write it into JSON, URLs, HTML, headers and dumps. */
function* encodingsOf(secret: Buffer): Generator<readonly [encoding: string, text: string]> {
  const plain = secret.toString();
  const bytes = [...secret];
  const characters = Array.from(plain);
  yield ['plain', plain];
  for (const text of jsonsOf(plain)) {
    yield ['json', text];
    yield ['json', JSON.stringify(text).slice(1, -1)];
  }
  yield ['escape', codeOf(plain)];
  yield ['escape', bytes.map((byte) => `\\x${hex(byte)}`).join('')];
  yield ['hex', secret.toString('hex')];
  for (const by of [' ', ':']) yield ['hex', bytes.map(hex).join(by)];
  if (plain.isWellFormed()) {
    yield ['percent', encodeURIComponent(plain)];
    yield ['percent', encodeURI(plain)];
    yield ['percent', new URLSearchParams([['', plain]]).toString().slice(1)];
  }
  yield [
    'percent',
    bytes.map((byte) => (isUnreserved(byte) ? String.fromCharCode(byte) : `%${hex(byte)}`)).join(''),
  ];
  yield ['percent', bytes.map((byte) => `%${hex(byte)}`).join('')];
  yield ['entity', plain.replace(/[&<>"']/g, (one) => named[one] ?? one)];
  yield ['entity', plain.replace(/[&<>"'/`=]/g, (one) => `&#x${one.charCodeAt(0).toString(16)};`)];
  yield ['entity', plain.replace(/[&<>"']/g, (one) => (one === "'" ? '&#039;' : (named[one] ?? one)))];
  yield ['entity', characters.map((one) => `&#${one.codePointAt(0)};`).join('')];
  yield ['entity', characters.map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join('')];
  yield ['utf16', characters.join('\0')];
  for (const wide of [secret, Buffer.from(plain, 'utf16le')])
    for (const text of base64sOf(wide)) {
      yield ['base64', text];
      yield ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')];
    }
}

/** Characters that programs write by their codes in JSON besides those that they must: none, and those of Go and Rails, Gson, Python, PHP for HTML, .NET. */
const alsoByCode = [/[^\s\S]/, /[<>&]/, /[<>&'=]/, /[^ -~]/, /[<>&'"]|[^ -~]/, /["&'+<>`]|[^ -~]/] as const;

/** The texts of JSON that a text can become, which PHP writes with `\/` as well. */
function* jsonsOf(plain: string): Generator<string> {
  if (/^[\w.~-]*$/.test(plain)) return yield plain; // nobody writes these by their codes
  for (const byCode of alsoByCode) {
    const text = Array.from(plain, (one) =>
      byCode.test(one) ? codeOf(one) : JSON.stringify(one).slice(1, -1),
    ).join('');
    yield text;
    yield text.replaceAll('/', '\\/');
  }
}

const codeOf = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** The base64 of the bytes wherever they begin among others: of each of the three alignments, the characters that nothing beside them changes. */
function* base64sOf(bytes: Buffer): Generator<string> {
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    yield text.slice(first, last);
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const isUnreserved = (byte: number): boolean => /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte));
const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
