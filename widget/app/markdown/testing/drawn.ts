import { createMarkdown } from '../markdown.ts';

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
    .replaceAll(' tabindex="-1"', '')
    .replaceAll(/<div class="code"[^>]*><button type="button">Copy<\/button>(.*?)<\/div>/gs, '$1')
    .replaceAll(/<div class="table">(.*?)<\/div>/gs, '$1')
    .replaceAll(' target="_blank" rel="noopener noreferrer nofollow ugc"', '');
}

const elements = new Set(
  'p h3 h4 h5 h6 blockquote ul ol li pre code em strong del a br hr div table thead tbody tr th td button'.split(
    ' ',
  ),
);
/** Per attribute, what it may say. */
const attributes: Readonly<Record<string, RegExp>> = {
  href: /^(?:https?|mailto|tel):/,
  target: /^_blank$/,
  rel: /^noopener noreferrer nofollow ugc$/,
  class: /^(?:code|table|task)$/,
  type: /^button$/,
  tabindex: /^-1$/,
  start: /^\d{1,9}$/,
  'data-language': /^[\w+#.-]{1,30}$/,
  style: /^(?:text-align: (?:left|right|center);)?$/,
};

/** What is in a drawn text that must not be, whatever the text said. */
export function offences(container: HTMLElement): string[] {
  return [...container.querySelectorAll('*')].flatMap((element) => [
    ...(elements.has(element.localName) ? [] : [element.localName]),
    ...[...element.attributes]
      .filter(({ name, value }) => !attributes[name]?.test(value))
      .map(({ name, value }) => `${element.localName} ${name}=${value}`),
  ]);
}
