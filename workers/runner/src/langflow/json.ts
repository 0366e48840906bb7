/** Careful reads of JSON that another program wrote: a wrong type is the same as nothing. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member as an object; empty when it is none. */
export function objectIn(value: unknown, name: string): JsonObject {
  const member = isObject(value) ? value[name] : undefined;
  return isObject(member) ? member : {};
}

/** The member as a string; undefined when it is none. */
export function textIn(value: unknown, name: string): string | undefined {
  const member = isObject(value) ? value[name] : undefined;
  return typeof member === 'string' ? member : undefined;
}

/** The member as a list; empty when it is none. */
export function listIn(value: unknown, name: string): readonly unknown[] {
  const member = isObject(value) ? value[name] : undefined;
  return Array.isArray(member) ? (member as unknown[]) : [];
}

/** The member as a count (0, 1, 2 …); null when it is none. */
export function countIn(value: unknown, name: string): number | null {
  const member = isObject(value) ? value[name] : undefined;
  return typeof member === 'number' && Number.isSafeInteger(member) && member >= 0 ? member : null;
}

/** Text that every store and parser behind us can hold: no lone surrogates, no NUL. */
export const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '');

/** The text, cut between two characters to that many bytes of UTF-8 and marked with `…` when it is longer. */
export function cut(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  // As in a stream: a character that is cut apart is not written.
  return `${new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, most), { stream: true })}…`;
}

/** How long a text is as the content of a JSON string, in bytes: what it costs to send and to store. */
export const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
