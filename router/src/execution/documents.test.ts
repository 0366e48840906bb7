import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createDocuments } from './documents.ts';

const schema = buildSchema('type Query { a: Int, b: Int }');
const limits = { depth: 4, tokens: 3_000, aliases: 980, rootFields: 3_000 };
const open = () => createDocuments({ limits, introspection: 'signed-in' });
/** A text, judged; whether it was kept. */
const isKept = (documents: ReturnType<typeof open>, text: string): boolean => {
  const document = documents.parse(text);
  documents.faults(schema, document);
  return documents.parse(text) === document;
};

describe('a document', () => {
  it('is kept once it was found good', () => {
    const documents = open();
    expect(isKept(documents, '{ a }')).toBe(true);
    const before = documents.parse('{ b }');
    expect(documents.parse('{ b }')).not.toBe(before);
  });

  it.each([
    ['of no use on the schema', '{ nothing }'],
    ['over a limit', `{ ${'x: a '.repeat(990)} }`],
  ])('%s is not kept', (_name, text) => expect(isKept(open(), text)).toBe(false));

  it('gives way when many large ones are kept: strangers cannot fill the memory', () => {
    const documents = open();
    const large = Array.from({ length: 970 }, (_, n) => `a${n}: a`).join(' ');
    const texts = Array.from({ length: 60 }, (_, n) => `query Q${n} { ${large} }`);
    const made = texts.map((text) => {
      const document = documents.parse(text);
      expect(documents.faults(schema, document)).toEqual([]);
      return document;
    });
    const kept = texts.filter((text, n) => documents.parse(text) === made[n]);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(45);
    expect(kept).toEqual(texts.slice(-kept.length));
  });
});
