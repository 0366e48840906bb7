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
  const patterns = [...texts].map(
    ([encoding, found]) =>
      [
        encoding,
        // The longest first: a field may begin like another one.
        new RegExp(
          [...found]
            .sort((a, b) => b.length - a.length)
            .map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
            .join('|'),
          caseless.has(encoding) ? 'gi' : 'g',
        ),
      ] as const,
  );
  return {
    text(text, found) {
      let masked = text;
      for (const [encoding, pattern] of patterns)
        masked = masked.replace(pattern, () => {
          found(encoding);
          return redactedSecret;
        });
      return masked;
    },
  };
}

const caseless = new Set(['hex', 'percent', 'escape', 'entity']);

/** The texts by which a secret can stand in a body: as it is, and as programs write it into JSON, URLs, HTML, headers and dumps. */
function* encodingsOf(secret: Buffer): Generator<readonly [encoding: string, text: string]> {
  const plain = secret.toString();
  const bytes = [...secret];
  const characters = Array.from(plain);
  const units = Array.from({ length: plain.length }, (_none, at) => plain.charCodeAt(at));
  yield ['plain', plain];
  const quoted = JSON.stringify(plain).slice(1, -1);
  if (quoted !== plain) {
    yield ['json', quoted];
    yield ['json', JSON.stringify(quoted).slice(1, -1)];
  }
  yield ['json', quoted.replaceAll('/', '\\/')];
  yield ['escape', units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')];
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
