import { load, type CheerioAPI } from 'cheerio';
import { tidy, type Block } from './extracted-page.ts';

type Node = NonNullable<ReturnType<CheerioAPI['root']>[0]>['childNodes'][number];

const unseenTags = new Set(
  'head script style noscript template svg iframe object select textarea'.split(' '),
);
const unseenStyle = /display\s*:\s*none|visibility\s*:\s*hidden/i;
/** What does not begin a line of its own; everything else does. */
const inlineTags = new Set(
  'a abbr b bdi bdo big cite code data del dfn em font i img ins kbd label mark q s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);
const kinds: Readonly<Record<string, Block['kind']>> = {
  li: 'list',
  dt: 'list',
  dd: 'list',
  tr: 'table',
  pre: 'code',
};

/** What a reader sees of a page: scripts, styles and hidden parts are left out. */
export function blocksOfHtml(html: string): Block[] {
  const blocks: Block[] = [];
  let line = '';
  const endLine = (block: Omit<Block, 'text'>): void => {
    const text = block.kind === 'code' ? line.trimEnd() : tidy(line);
    line = '';
    if (text) blocks.push({ ...block, text });
  };
  const visit = (node: Node, within: Omit<Block, 'text'>): void => {
    if (node.type === 'text') line += node.data;
    if (node.type !== 'tag' || isUnseen(node.name, node.attribs)) return;
    if (node.name === 'br') line += '\n';
    else if (inlineTags.has(node.name)) for (const child of node.childNodes) visit(child, within);
    else if (within.kind === 'table' || within.kind === 'code') {
      // A cell, or what is in one: a row stays one line.
      if (line && (node.name === 'td' || node.name === 'th')) line += ' | ';
      for (const child of node.childNodes) visit(child, within);
    } else {
      endLine(within);
      const own = ownBlock(node.name) ?? within;
      for (const child of node.childNodes) visit(child, own);
      endLine(own);
    }
  };
  for (const node of load(html).root()[0]?.childNodes ?? []) visit(node, { kind: 'paragraph' });
  return blocks;
}

const isUnseen = (name: string, attributes: Readonly<Record<string, string>>): boolean =>
  unseenTags.has(name) || 'hidden' in attributes || unseenStyle.test(attributes['style'] ?? '');

function ownBlock(name: string): Omit<Block, 'text'> | undefined {
  const level = /^h([1-6])$/.exec(name)?.[1];
  if (level) return { kind: 'heading', level: Number(level) };
  const kind = kinds[name];
  return kind ? { kind } : undefined;
}
