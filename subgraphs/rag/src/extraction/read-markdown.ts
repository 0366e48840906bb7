import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import { tidy, type Block } from './extracted-page.ts';

type Root = ReturnType<typeof fromMarkdown>;
type RootContent = Root['children'][number];
type List = Extract<RootContent, { type: 'list' }>;
type Table = Extract<RootContent, { type: 'table' }>;

const frontMatter = /^---\r?\n[\s\S]*?\r?\n---\r?\n/;
/** Raw HTML is markup, not text. */
const words = { includeHtml: false } as const;

/** CommonMark with tables and what else GitHub adds. */
export function blocksOfMarkdown(text: string): Block[] {
  const root: Root = fromMarkdown(text.replace(frontMatter, ''), {
    extensions: [gfm()],
    mdastExtensions: [gfmFromMarkdown()],
  });
  return root.children.flatMap(blocksOf);
}

function blocksOf(node: RootContent): Block[] {
  if (node.type === 'heading')
    return [{ kind: 'heading', level: node.depth, text: tidy(toString(node, words)) }];
  if (node.type === 'code') return [{ kind: 'code', text: node.value }];
  if (node.type === 'list') return itemsOf(node);
  if (node.type === 'table') return rowsOf(node);
  if (node.type === 'blockquote' || node.type === 'footnoteDefinition')
    return node.children.flatMap(blocksOf);
  return [{ kind: 'paragraph', text: tidy(toString(node, words)) }];
}

/** Each item's own words, then what is nested in it. */
const itemsOf = (list: List): Block[] =>
  list.children.flatMap((item) =>
    item.children.flatMap((child): Block[] =>
      child.type === 'paragraph' ? [{ kind: 'list', text: tidy(toString(child, words)) }] : blocksOf(child),
    ),
  );

const rowsOf = (table: Table): Block[] =>
  table.children.map((row) => ({
    kind: 'table',
    text: row.children.map((cell) => tidy(toString(cell, words))).join(' | '),
  }));
