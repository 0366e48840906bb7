import { createHash } from 'node:crypto';
import { normalised, type Embedder } from '../engines/embedded/embedder.ts';

const dimensions = 512;

/**
 * A deterministic stand-in for a model of meaning: words, their beginnings and their pieces of three and four letters are thrown into dimensions by their hash,
 * long words weighing more than short ones. It knows inflection, typing mistakes and compounds, and no synonyms.
 */
export const hashingEmbedder: Embedder = {
  model: 'hashed-letters',
  dimensions,
  embed: (texts) => Promise.resolve(texts.map(vectorOf)),
};

function vectorOf(text: string): Float32Array {
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number): void =>
    void counts.set(feature, (counts.get(feature) ?? 0) + weight);
  const plain = text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
  for (const word of plain.match(/[\p{L}\p{N}]+/gu) ?? []) {
    const weight = word.length < 4 ? 0.1 : Math.min(1, word.length / 8);
    add(`w ${word}`, weight);
    add(`b ${word.slice(0, 5)}`, weight);
    const padded = ` ${word} `;
    for (const size of [3, 4])
      for (let at = 0; at + size <= padded.length; at += 1)
        add(`${size} ${padded.slice(at, at + size)}`, (0.5 * weight) / Math.sqrt(word.length));
  }
  const vector = new Float32Array(dimensions);
  for (const [feature, count] of counts) {
    const [place, sign] = placeOf(feature);
    vector[place]! += sign * Math.sqrt(count);
  }
  return normalised(vector);
}

const places = new Map<string, readonly [number, number]>();

function placeOf(feature: string): readonly [place: number, sign: number] {
  const known = places.get(feature);
  if (known) return known;
  const hash = createHash('sha256').update(feature).digest();
  const made = [hash.readUInt16LE(0) % dimensions, hash[2]! % 2 ? 1 : -1] as const;
  places.set(feature, made);
  return made;
}
