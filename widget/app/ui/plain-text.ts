/** Markdown as it is read out: without its signs. Not for showing. */
export const plainText = (markdown: string): string =>
  markdown
    .replace(/^ {0,3}(?:`{3,}|~{3,}).*$/gm, '')
    .replace(/!?\[([^\][]*)\]\([^()\s]*\)/g, '$1')
    .replace(/\[\d+\]/g, '')
    .replace(/^ {0,3}(?:#{1,6} |> |[-*+] )/gm, '')
    .replace(/[*_`~|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
