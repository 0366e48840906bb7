// @vitest-environment happy-dom
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createMarkdown } from './markdown.ts';
import { drawn, html } from './testing/drawn.ts';

const labels = { copy: 'Copy', copied: 'Copied' };

/** What Markdown is made of. */
const token = fc.constantFrom(
  '*',
  '**',
  '_',
  '`',
  '```',
  '~~~',
  '~~',
  '[',
  ']',
  '](https://a.example/)',
  '![',
  '[1]',
  '<',
  '>',
  '&amp;',
  '\\',
  '#',
  '- ',
  '1. ',
  '2) ',
  '> ',
  '- [ ] ',
  '---',
  '===',
  '|',
  '|-|-|',
  ':-:',
  '    ',
  '\t',
  '  ',
  'a',
  'b c',
  'é',
  '👍',
  '\n',
  '\n',
  '\n\n',
  '\n> ',
  '\n- ',
  '\n  ',
  '\r\n',
  'www.a.example',
);
const text = fc.array(token, { maxLength: 24 }).map((tokens) => tokens.join(''));

it('draws every text the same in whole and char by char', () => {
  fc.assert(
    fc.property(text, (markdown) => {
      expect(html(drawn(...markdown.split('')))).toBe(html(drawn(markdown)));
    }),
    { numRuns: 1_000 },
  );
});

it('draws what has come so far as it would be drawn had nothing come before', () => {
  fc.assert(
    fc.property(text, (markdown) => {
      const container = document.createElement('div');
      const streamed = createMarkdown(container, { labels });
      for (let length = 1; length <= markdown.length; length++) {
        streamed.set(markdown.slice(0, length));
        const fresh = document.createElement('div');
        createMarkdown(fresh, { labels }).set(markdown.slice(0, length));
        expect(container.innerHTML).toBe(fresh.innerHTML);
      }
    }),
    { numRuns: 200 },
  );
});

it('keeps the nodes of blocks that are done, and of what did not change in the last one', () => {
  const container = document.createElement('div');
  const markdown = createMarkdown(container, { labels });
  markdown.set('# One\n\n```\ncode\n```\n\n- a\n- b');
  const [heading, code, list] = container.children;
  const item = list!.firstElementChild;
  markdown.set('# One\n\n```\ncode\n```\n\n- a\n- b and more\n- c');
  expect([...container.children]).toEqual([heading, code, list]);
  expect(list!.firstElementChild).toBe(item);
  expect(list!.textContent).toBe('ab and morec');
  markdown.set('# One\n\n```\ncode\n```\n\n- a\n- b and more\n- c\n\nend');
  markdown.end();
  expect([...container.children].slice(0, 3)).toEqual([heading, code, list]);
});

it('takes a block back that the rest of its line makes another one', () => {
  const container = document.createElement('div');
  const markdown = createMarkdown(container, { labels });
  markdown.set('a\n#');
  expect(html(container)).toBe('<p>a</p><h3></h3>');
  markdown.set('a\n#b');
  expect(html(container)).toBe('<p>a\n#b</p>');
});

it('copies the code as it was written, and says so for a moment', async () => {
  vi.useFakeTimers();
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal('navigator', { clipboard: { writeText } });
  const container = drawn('```ts\nlet a = 1;\n\nlet b;\n```');
  const button = container.querySelector('button')!;
  button.click();
  await vi.advanceTimersByTimeAsync(1_999);
  expect(writeText).toHaveBeenCalledWith('let a = 1;\n\nlet b;');
  expect(button.textContent).toBe('Copied');
  await vi.advanceTimersByTimeAsync(1);
  expect(button.textContent).toBe('Copy');
  expect(container.querySelector('.code')!.getAttribute('data-language')).toBe('ts');
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('says nothing of a copy where the page may not write to the clipboard, and throws nothing', async () => {
  vi.stubGlobal('navigator', {}); // as on a page without HTTPS
  const button = drawn('```\na\n```').querySelector('button')!;
  button.click();
  await new Promise((resolve) => setTimeout(resolve));
  expect(button.textContent).toBe('Copy');
  vi.unstubAllGlobals();
});

it('aligns the cells of a table', () => {
  const cells = [...drawn('|a|b|c|d|\n|-|:-|-:|:-:|\n|1|2|3|4|').querySelectorAll<HTMLElement>('td')];
  expect(cells.map(({ style }) => style.textAlign)).toEqual(['', 'left', 'right', 'center']);
});

it('has a depth at which images, blocks and emphases end', () => {
  const images = (count: number): string => '!['.repeat(count) + 'a' + '](https://a.example/)'.repeat(count);
  expect(drawn(images(100)).textContent).toBe('a');
  expect(drawn(images(102)).textContent).not.toBe('a');
  expect(drawn('>'.repeat(1_000)).querySelectorAll('blockquote').length).toBeLessThan(40);
  expect(drawn('**a *b '.repeat(100) + ' c* d**'.repeat(100)).querySelectorAll('strong, em')).toHaveLength(
    16,
  );
});
