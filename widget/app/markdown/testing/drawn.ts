import { createMarkdown } from './markdown.ts';

const labels = { copy: 'Copy', copied: 'Copied' };

/** What a text looks like once it has come in these pieces. */
export function drawn(...pieces: readonly string[]): HTMLElement {
  const container = document.createElement('div');
  const markdown = createMarkdown(container, { labels, citation });
  let text = '';
  for (const piece of pieces) markdown.set((text += piece));
  markdown.end();
  return container;
}

/** Chips 1 to 9 are there. */
export function citation(number: number): Node | null {
  if (number < 1 || number > 9) return null;
  const chip = document.createElement('button');
  chip.textContent = `${number}`;
  return chip;
}

/** As HTML that is short to read: without the frames of code and tables, and without what every link has. */
export function html(container: HTMLElement): string {
  return container.innerHTML
    .replaceAll(/<div class="code"[^>]*><button type="button">Copy<\/button>(.*?)<\/div>/gs, '$1')
    .replaceAll(/<div class="table">(.*?)<\/div>/gs, '$1')
    .replaceAll(' target="_blank" rel="noopener noreferrer nofollow ugc"', '')
    .replaceAll(' tabindex="0"', '');
}
