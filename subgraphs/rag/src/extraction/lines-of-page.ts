import { tidy, type Block } from './extracted-page.ts';

/** A line of a page: `y` of its base line grows upwards, `size` is the height of its letters, both in points. */
export interface Line {
  readonly text: string;
  readonly y: number;
  readonly size: number;
}

/** A heading is set larger than the text around it, and short. */
const headingRatio = 1.15;
const longestHeading = 200;
/** Base lines further apart than this many letter heights have a gap between them. */
const paragraphGap = 1.75;
const listMark = /^(?:[•◦▪·*–-]|\d{1,3}[.)])\s+/;

/** Headings by their size, paragraphs by the gaps between lines, list items by their marks. */
export function blocksOfLines(all: readonly Line[]): Block[] {
  const lines = all.map((line) => ({ ...line, text: tidy(line.text) })).filter(({ text }) => text);
  const body = commonSize(lines);
  const blocks: Block[] = [];
  let last: { line: Line; block: Omit<Block, 'text'> } | undefined;
  for (const line of lines) {
    const block = blockOf(line, body);
    const open = blocks.at(-1);
    if (last && open && continues(last, { line, block }))
      blocks[blocks.length - 1] = { ...open, text: joined(open.text, line.text) };
    else blocks.push({ ...block, text: line.text.replace(listMark, '') });
    last = { line, block: { ...block, kind: blocks.at(-1)!.kind } };
  }
  return blocks;
}

function blockOf(line: Line, body: number): Omit<Block, 'text'> {
  const ratio = line.size / body;
  if (ratio >= headingRatio && line.text.length <= longestHeading)
    return { kind: 'heading', level: ratio >= 1.6 ? 1 : ratio >= 1.3 ? 2 : 3 };
  return { kind: listMark.test(line.text) ? 'list' : 'paragraph' };
}

function continues(
  last: { line: Line; block: Omit<Block, 'text'> },
  next: { line: Line; block: Omit<Block, 'text'> },
): boolean {
  const gap = last.line.y - next.line.y;
  const near = gap >= 0 && gap <= paragraphGap * Math.max(last.line.size, next.line.size);
  if (next.block.kind === 'list') return false;
  if (next.block.kind === 'heading' || last.block.kind === 'heading')
    return near && next.block.kind === last.block.kind && next.block.level === last.block.level;
  return near;
}

/** A word that was divided at the end of a line becomes whole. */
const joined = (before: string, after: string): string =>
  /\p{L}-$/u.test(before) && /^\p{Ll}/u.test(after) ? before.slice(0, -1) + after : `${before} ${after}`;

/** The size in which most letters are set. */
function commonSize(lines: readonly Line[]): number {
  const letters = new Map<number, number>();
  for (const { size, text } of lines) letters.set(size, (letters.get(size) ?? 0) + text.length);
  return [...letters].reduce((most, one) => (one[1] > most[1] ? one : most), [1, 0])[0] || 1;
}
