import { matchAt } from './destination.ts';

/** A part of a text: a leaf, or what holds other parts. */
export interface Block {
  readonly kind: 'root' | 'quote' | 'list' | 'item' | 'paragraph' | 'heading' | 'code' | 'rule' | 'table';
  readonly parent: Block | null;
  readonly parts: Block[];
  /** Where its first line starts in the source. */
  readonly start: number;
  /** Number of the line that made it what it is, from 1. */
  readonly line: number;
  /** Whether the next line may go on with it. */
  open: boolean;
  text: string;
  /** Of a heading, 1 to 6; of an ordered list, its first number, else -1; of a fence, its length. */
  readonly level?: number;
  /** Of a list or a fence: what it is marked with, in one character. */
  readonly marker?: string;
  /** Columns that the parts of an item are indented by; of code, those that are taken off its lines. */
  indent?: number;
  /** Of a list: a blank line stands between its items, or between parts of one. */
  loose?: boolean;
  /** Number of the last blank line in it. */
  blank?: number;
  /** Of a fence: what its first line calls it. */
  readonly language?: string;
  /** Of a table: the alignment of each column, and the cells, with those of the head first. */
  readonly aligns?: readonly string[];
  readonly rows?: string[][];
}

/** Parts in one another. Browsers lay out by recursion; beyond this a marker is text. */
const deepest = 40;

const quoteStart = />/y;
const headingStart = /#{1,6}(?=[ \t]|$)/y;
/** Of a heading: hashes at its end, apart from its text. */
const closing = /(?<![^ \t])#+$/;
const underline = /(=+|-+)[ \t]*$/y;
const fenceStart = /(`{3,})[ \t]*([^`\s]*)[^`]*$|(~{3,})[ \t]*(\S*)/y;
const fenceEnd = /(`+|~+)[ \t]*$/y;
const rule = /(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/y;
const itemStart = /(?:(\d{1,9})([.)])|[*+-])(?=[ \t]|$)/y;

const alignments = new Map([
  ['-', ''],
  [':-', 'left'],
  ['-:', 'right'],
  [':-:', 'center'],
]);

/**
 * The blocks of a text by CommonMark's algorithm, line by line, with GFM's tables; HTML is text. A block of the root depends on nothing before it.
 * Time grows with the text's length.
 */
export function blocksOf(source: string): Block[] {
  let number = 0;
  let start = 0;
  /** The line before, and where it starts, without blanks. */
  let before = '';
  let startBefore = 0;
  let line = '';
  /** Place in the line; it is the column too, since a tab becomes blanks before it is passed. */
  let at = 0;
  /** Of the next mark, by `look`. */
  let mark = 0;
  let columns = 0;
  let blank = false;
  const root = block('root', null, {});

  const lines = source.split('\n');
  if (!lines.at(-1)) lines.pop();
  for (const raw of lines) {
    number++;
    line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    at = 0;
    readLine();
    startBefore = start + mark;
    before = line.slice(mark);
    start += raw.length + 1;
  }
  return root.parts;

  function readLine(): void {
    let container = root;
    let depth = 0;
    for (let last; (last = container.parts.at(-1))?.open; depth++) {
      look();
      if (!goesOn(last)) break;
      if (!last.open) return;
      container = last;
    }
    let tip = container;
    for (let last; (last = tip.parts.at(-1))?.open;) tip = last;
    let begun = false;
    while ((look(), !blank && container.kind !== 'code')) {
      const next = begin(container, !begun && /paragraph|table/.test(tip.kind), depth);
      if (next === 'line') return;
      if (!next) break;
      container = next;
      depth += 2;
      begun = true;
    }
    const rest = line.slice(mark);
    if (container.kind === 'code') container.text += `${line.slice(at)}\n`;
    else if (!blank && !begun && tip !== container && tip.kind === 'paragraph') tip.text += `\n${rest}`;
    else {
      const last = container.parts.at(-1);
      if (last) last.open = false;
      if (blank && !begun)
        for (let one: Block | null = container; one && one.kind !== 'quote'; one = one.parent)
          one.blank = number;
      else if (container.kind === 'paragraph') container.text += `\n${rest}`;
      else if (container.kind === 'table') container.rows!.push(cellsOf(rest));
      else if (!blank) add(container, 'paragraph', { text: rest });
    }
  }

  /** Whether the line goes on with an open block, whose marks are read over; closes it where the line ends it. */
  function goesOn(one: Block): boolean {
    const { kind, level, marker, indent = 0 } = one;
    if (kind === 'quote') return readQuote();
    if (kind === 'item') {
      if (blank ? !one.parts.length : columns < indent) return false;
      skip(indent);
    } else if (kind === 'code') {
      const end = level ? find(fenceEnd)?.[1] : null;
      if (!level && !blank && columns < 4) return false;
      if (level && end && end[0] === marker && end.length >= level) one.open = false;
      else skip(indent);
    }
    return !blank || /list|item|code/.test(kind);
  }

  /** The block that begins here inside a container; `line` where it has no other lines or they are its own; null where none does. */
  function begin(container: Block, inText: boolean, depth: number): Block | 'line' | null {
    if (columns > 3) {
      if (inText) return null;
      skip(4);
      return add(container, 'code', { indent: 4 });
    }
    if (depth < deepest && readQuote()) return add(container, 'quote', {});
    const heading = find(headingStart);
    if (heading) {
      const text = line.slice(mark + heading[0].length).trim();
      return one(container, 'heading', { level: heading[0].length, text: text.replace(closing, '') });
    }
    const fence = find(fenceStart);
    if (fence) {
      const ticks = (fence[1] ?? fence[3])!;
      add(container, 'code', {
        level: ticks.length,
        marker: ticks[0]!,
        indent: columns,
        language: (fence[2] ?? fence[4])!,
      });
      return 'line';
    }
    if (container.kind === 'paragraph') {
      const line = find(underline);
      if (line) {
        const { text, start } = container;
        container.parent!.parts.pop();
        return one(container, 'heading', { level: line[1]![0] === '=' ? 1 : 2, text, start });
      }
    }
    if (find(rule)) return one(container, 'rule', {});
    const item = depth < deepest ? find(itemStart) : null;
    if (!item || (container.kind === 'paragraph' && !interrupts(item)))
      return container.kind === 'paragraph' && beginTable(container) ? 'line' : null;
    const marker = item[2] ?? item[0];
    const list =
      container.kind === 'list' && container.marker === marker
        ? container
        : add(container, 'list', { marker, level: Number(item[1] ?? -1) });
    const next = add(list, 'item', { indent: columns + item[0].length });
    skip(columns);
    at += item[0].length;
    look();
    const padding = blank || columns > 4 ? 1 : columns;
    next.indent! += padding;
    skip(padding);
    return next;
  }

  function interrupts(item: RegExpExecArray): boolean {
    return Number(item[1] ?? 1) === 1 && line.slice(mark + item[0].length).trim() !== '';
  }

  function readQuote(): boolean {
    if (!find(quoteStart)) return false;
    skip(columns);
    at++;
    skip(1);
    return true;
  }

  /** The last line of a paragraph becomes a table's head when this one is its rule. */
  function beginTable(paragraph: Block): boolean {
    const aligns = cellsOf(line.slice(mark)).map((cell) => alignments.get(cell.replace(/-+/, '-')));
    const head = cellsOf(before);
    if (head.length !== aligns.length || aligns.includes(undefined)) return false;
    paragraph.text = paragraph.text.slice(0, -1 - before.length);
    if (!paragraph.text) paragraph.parent!.parts.pop();
    add(paragraph, 'table', { start: startBefore, rows: [head], aligns: aligns as string[] });
    return true;
  }

  /** Puts a new part at the end of the innermost block around that can hold it. */
  function add(container: Block, kind: Block['kind'], is: Partial<Block>): Block {
    while (!(kind === 'item' ? /list/ : /root|quote|item/).test(container.kind))
      container = container.parent!;
    const last = container.parts.at(-1);
    if (last) {
      last.open = false;
      if (container.blank === number - 1)
        (kind === 'item' ? container : (container.parent ?? root)).loose = true;
    }
    const part = block(kind, container, is);
    container.parts.push(part);
    return part;
  }

  /** A block of one line. */
  function one(container: Block, kind: Block['kind'], is: Partial<Block>): 'line' {
    add(container, kind, { ...is, open: false });
    return 'line';
  }

  function block(kind: Block['kind'], parent: Block | null, is: Partial<Block>): Block {
    return { kind, parent, parts: [], start, line: number, open: true, text: '', ...is };
  }

  function look(): void {
    mark = at;
    let column = at;
    for (; line[mark] === ' ' || line[mark] === '\t'; mark++)
      column += line[mark] === ' ' ? 1 : 4 - (column % 4);
    columns = column - at;
    blank = mark === line.length;
  }

  /** What a pattern finds at the next mark, unless that is indented as code is. */
  function find(pattern: RegExp): RegExpExecArray | null {
    return columns < 4 ? matchAt(pattern, line, mark) : null;
  }

  /** Passes so many columns of blanks, or those that are there. */
  function skip(most: number): void {
    for (; most > 0 && (line[at] === ' ' || line[at] === '\t'); most--) {
      if (line[at] === '\t') line = line.slice(0, at) + ' '.repeat(4 - (at % 4)) + line.slice(at + 1);
      at++;
    }
    look();
  }
}

function cellsOf(row: string): string[] {
  const cells = row
    .trim()
    .replace(/^\|/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
  if (cells.length > 1 && !cells.at(-1)) cells.pop();
  return cells;
}
