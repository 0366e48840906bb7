import type { Block, Page } from '../../extraction/extracted-page.ts';

/** A passage that is found and cited as a whole. */
export interface Chunk {
  /** Begins with its own heading, when it is the first below it. */
  readonly text: string;
  /** The headings above it, outermost first. */
  readonly headings: readonly string[];
  /** The page that all of its text is on. */
  readonly page: number | null;
}

/** In words, as white space sets them apart, save `maxChars` in UTF-16 units. */
export const chunkSizes = { target: 220, max: 300, overlap: 40, piece: 60, maxChars: 4_000 } as const;

/** What is never cut: a sentence or part of one, a list item, a row, a line of code. `joint` stands before it. */
interface Piece {
  readonly text: string;
  readonly joint: ' ' | '\n' | '\n\n';
  readonly words: number;
}

/**
 * Cuts pages into passages along their structure: a heading begins a new one, and so does a page, so that the page of a citation is true for all of
 * its text. Within a section each passage repeats the end of the one before, up to the overlap.
 */
export function chunkPages(pages: readonly Page[]): Chunk[] {
  const chunks: Chunk[] = [];
  const path: { level: number; text: string }[] = [];
  for (const { page, blocks } of pages) {
    let section: Piece[] = [];
    let headings: string[] = path.map(({ text }) => text);
    let hasBody = false;
    const end = (): void => {
      for (const text of pack(section)) chunks.push({ text, headings, page });
      section = [];
      hasBody = false;
    };
    for (const block of blocks) {
      if (block.kind === 'heading') {
        // A heading right below another goes with it.
        if (hasBody) end();
        const level = block.level ?? 1;
        while (path.length && path.at(-1)!.level >= level) path.pop();
        path.push({ level, text: block.text.slice(0, chunkSizes.maxChars) });
        headings = path.map(({ text }) => text);
      } else hasBody = true;
      section.push(...piecesOf(block));
    }
    end();
  }
  return chunks;
}

/** Fills passages up to the target, and beyond it only with what would be left over. */
function pack(pieces: readonly Piece[]): string[] {
  const texts: string[] = [];
  let open: Piece[] = [];
  let left = count(pieces);
  for (const piece of pieces) {
    const size = count(open);
    const full =
      size + piece.words > chunkSizes.max ||
      (size + piece.words > chunkSizes.target && size + left > chunkSizes.max);
    if (open.length && (full || lengthOf(open) + 2 + piece.text.length > chunkSizes.maxChars)) {
      texts.push(join(open));
      open = tail(open, chunkSizes.maxChars - piece.text.length);
    }
    open.push(piece);
    left -= piece.words;
  }
  if (open.length) texts.push(join(open));
  return texts;
}

/** The last pieces within the overlap, never all of them. */
function tail(pieces: readonly Piece[], mostChars: number): Piece[] {
  let from = pieces.length;
  while (from > 1) {
    const longer = pieces.slice(from - 1);
    if (count(longer) > chunkSizes.overlap || lengthOf(longer) + 2 > mostChars) break;
    from -= 1;
  }
  return pieces.slice(from);
}

const count = (pieces: readonly Piece[]): number => pieces.reduce((sum, { words }) => sum + words, 0);
const lengthOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { text }) => sum + text.length + 2, 0);
const join = (pieces: readonly Piece[]): string =>
  pieces.map(({ text, joint }, index) => (index ? joint + text : text)).join('');

function piecesOf(block: Block): Piece[] {
  const joint = block.kind === 'list' || block.kind === 'table' ? '\n' : '\n\n';
  const lines = block.kind === 'code' ? block.text.split('\n') : block.text.split(/(?<=[.!?…])\s+/);
  const within = block.kind === 'code' ? '\n' : ' ';
  return lines
    .flatMap((line) => cut(line))
    .map((text, index) => ({
      text,
      joint: index ? within : joint,
      words: text.split(/\s+/).filter(Boolean).length,
    }));
}

/** A line in parts of at most so many words and characters; one that fits stays as it is. */
function cut(line: string): string[] {
  const mostChars = chunkSizes.maxChars / 4;
  if (!line.trim()) return [];
  if (line.length <= mostChars && line.split(/\s+/).length <= chunkSizes.piece) return [line];
  const parts: string[] = [];
  let open: string[] = [];
  let chars = 0;
  for (const word of line.split(/\s+/).flatMap((one) => sliced(one, mostChars))) {
    if (open.length === chunkSizes.piece || (open.length && chars + 1 + word.length > mostChars)) {
      parts.push(open.join(' '));
      open = [];
      chars = 0;
    }
    open.push(word);
    chars += word.length + 1;
  }
  return open.length ? [...parts, open.join(' ')] : parts;
}

/** A "word" without an end, such as a picture written as text, in slices; no pair of surrogates is parted. */
function sliced(word: string, size: number): string[] {
  const slices: string[] = [];
  for (let at = 0; at < word.length;) {
    let end = at + size;
    if (/[\uD800-\uDBFF]/.test(word[end - 1] ?? '') && end < word.length) end -= 1;
    slices.push(word.slice(at, end));
    at = end;
  }
  return slices;
}
