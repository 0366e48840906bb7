import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesText, readTextFile, splitAttachments, withAttachments } from './attachments.ts';

const file = (name: string, content: BlobPart): File => new File([content], name);

it('reads text, and says why not', async () => {
  await expect(readTextFile(file('a.md', '# ä'), 100)).resolves.toEqual({ name: 'a.md', text: '# ä' });
  await expect(readTextFile(file('a.md', 'x'.repeat(101)), 100)).resolves.toBe('too-large');
  await expect(readTextFile(file('a.md', new Uint8Array([0xc3, 0x28])), 100)).resolves.toBe('not-text');
  await expect(readTextFile(file('a.md', 'a\0b'), 100)).resolves.toBe('not-text');
});

it('fences a file longer than any fence in it', () => {
  expect(withAttachments('See:', [{ name: 'a.MD', text: '````\nx\n````\n' }])).toBe(
    'See:\n\n`a.MD`\n`````md\n````\nx\n````\n`````',
  );
  expect(withAttachments('', [{ name: 'LICENSE', text: 'MIT' }])).toBe('`LICENSE`\n```text\nMIT\n```');
});

it('finds every file of a message again', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '`', '\n', ' ', '```') });
  const files = fc.array(fc.record({ name: fc.constantFrom('a.md', 'b', 'c d.csv'), text }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(files, (attached) => {
      const back = splitAttachments(withAttachments('Look', attached));
      expect(back.text).toBe('Look');
      expect(back.files).toEqual(attached.map((one) => ({ ...one, text: one.text.replace(/\n$/, '') })));
    }),
  );
});

it('leaves a message without files as it is', () => {
  const text = 'Why does `x`\n```js\nx()\n``` not work?';
  expect(splitAttachments(text)).toEqual({ text, files: [] });
});

it('says sizes in the locale', () => {
  expect(bytesText(65_536, 'en')).toBe('64 kB');
  expect(bytesText(1, 'en')).toBe('1 kB');
});
