import { tidy, type Block } from './extracted-page.ts';

/** Paragraphs are what empty lines set apart. */
export const blocksOfText = (text: string): Block[] =>
  text
    .split(/\r?\n[^\S\n]*\r?\n|\f/)
    .map((paragraph): Block => ({ kind: 'paragraph', text: tidy(paragraph) }));
