import { Document, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow } from 'docx';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { describe, expect, test } from 'vitest';
import { pdfFile } from '../testing/pdf-file.ts';
import { zipFile } from '../testing/zip-file.ts';
import { extract } from './extract.ts';

const pdf = 'application/pdf';
const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const limits = { pages: 5, textChars: 10_000, unpackedBytes: 4 << 20 };
const bounds = { deadlineMs: 100_000, memoryMb: 256 };

const read = (
  contentType: string,
  content: string | Uint8Array,
  more: { signal?: AbortSignal; onPage?: (part: number) => void; bounds?: Partial<typeof bounds> } = {},
) =>
  extract(
    { bytes: new Uint8Array(Buffer.from(content)), contentType, limits },
    { ...bounds, ...more.bounds },
    { signal: more.signal ?? new AbortController().signal, onPage: more.onPage ?? (() => undefined) },
  );
const blocks = async (contentType: string, content: string | Uint8Array) =>
  (await read(contentType, content)).flatMap((page) => page.blocks);

async function paged(texts: readonly string[]): Promise<Uint8Array> {
  const made = await PDFDocument.create();
  const font = await made.embedFont(StandardFonts.Helvetica);
  for (const text of texts) {
    const page = made.addPage([400, 400]);
    page.drawText('Machine', { x: 30, y: 350, size: 20, font });
    for (const [line, row] of text.split('\n').entries())
      page.drawText(row, { x: 30, y: 310 - 14 * line, size: 11, font });
  }
  return made.save();
}

describe('what is read of a file', () => {
  test('PDF: pages with their numbers, headings by size, divided words made whole, and how far it is', async () => {
    const parts: number[] = [];
    const pages = await read(pdf, await paged(['Steam is dan-\ngerous.', 'Rinse it.']), {
      onPage: (part) => parts.push(part),
    });
    expect(pages).toEqual([
      {
        page: 1,
        blocks: [
          { kind: 'heading', level: 1, text: 'Machine' },
          { kind: 'paragraph', text: 'Steam is dangerous.' },
        ],
      },
      {
        page: 2,
        blocks: [
          { kind: 'heading', level: 1, text: 'Machine' },
          { kind: 'paragraph', text: 'Rinse it.' },
        ],
      },
    ]);
    expect(parts).toEqual([0.5, 1]);
  });

  test('Word: headings, paragraphs, rows of a table', async () => {
    const cell = (text: string) => new TableCell({ children: [new Paragraph(text)] });
    const file = await Packer.toBuffer(
      new Document({
        sections: [
          {
            children: [
              new Paragraph({ text: 'Care', heading: HeadingLevel.HEADING_2 }),
              new Paragraph('Dry it.'),
              new Table({ rows: [new TableRow({ children: [cell('Lamps'), cell('3 years')] })] }),
            ],
          },
        ],
      }),
    );
    expect(await read(docx, file)).toEqual([
      {
        page: null,
        blocks: [
          { kind: 'heading', level: 2, text: 'Care' },
          { kind: 'paragraph', text: 'Dry it.' },
          { kind: 'table', text: 'Lamps | 3 years' },
        ],
      },
    ]);
  });

  test('HTML: what a reader sees', async () => {
    const html = `<title>no</title><style>no {}</style><script>no()</script><div style="display:none">no</div><p hidden>no</p><!-- no -->
      <h3>Lamps</h3><div>Loose <b>words</b><p>A paragraph</p>more</div><ul><li>One<ul><li>Two</li></ul></li></ul>
      <table><tr><td>a</td><td>b</td></tr></table><pre>if (x)\n  y</pre>`;
    expect(await blocks('text/html', html)).toEqual([
      { kind: 'heading', level: 3, text: 'Lamps' },
      { kind: 'paragraph', text: 'Loose words' },
      { kind: 'paragraph', text: 'A paragraph' },
      { kind: 'paragraph', text: 'more' },
      { kind: 'list', text: 'One' },
      { kind: 'list', text: 'Two' },
      { kind: 'table', text: 'a | b' },
      { kind: 'code', text: 'if (x)\n  y' },
    ]);
  });

  test('Markdown: its structure without its marks', async () => {
    const markdown = `---\ntitle: no\n---\n# Lamps\n\nA *bright* [lamp](https://example.test).\n\n- One\n  - Two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`js\nx = 1\n\`\`\`\n\n> Quoted\n\n<b>no</b>`;
    expect(await blocks('text/markdown', markdown)).toEqual([
      { kind: 'heading', level: 1, text: 'Lamps' },
      { kind: 'paragraph', text: 'A bright lamp.' },
      { kind: 'list', text: 'One' },
      { kind: 'list', text: 'Two' },
      { kind: 'table', text: 'a | b' },
      { kind: 'table', text: '1 | 2' },
      { kind: 'code', text: 'x = 1' },
      { kind: 'paragraph', text: 'Quoted' },
      { kind: 'paragraph', text: 'no' },
    ]);
  });

  test.each([
    ['UTF-8', Buffer.from('Grüße\r\n\r\nfür 5 €')],
    ['UTF-16, little end first', Buffer.from('\ufeffGrüße\r\n\r\nfür 5 €', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeffGrüße\r\n\r\nfür 5 €', 'utf16le').swap16()],
    ['Latin-1 as Windows has it', Buffer.from('Gr\xfc\xdfe\r\n\r\nf\xfcr 5 \x80', 'latin1')],
  ])('text in %s', async (_, bytes) => {
    expect(await blocks('text/plain', bytes)).toEqual([
      { kind: 'paragraph', text: 'Grüße' },
      { kind: 'paragraph', text: 'für 5 €' },
    ]);
  });
});

const parts = (more: Parameters<typeof zipFile>[0]) =>
  zipFile([{ name: '[Content_Types].xml', data: Buffer.from('<Types/>') }, ...more]);
const locked = `/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -44 /O <${'41'.repeat(32)}> /U <${'42'.repeat(32)}> >>`;

const sixPages = await paged(Array.from({ length: 6 }, () => 'Text'));

describe('a file that is refused', () => {
  const zeros = Buffer.alloc(3 << 20);
  const noise = Buffer.from(Array.from({ length: 1 << 16 }, (_, at) => (at * at) % 251));
  test.each<[string, string, string, string | Uint8Array]>([
    ['needs a password', 'FILE_ENCRYPTED', pdf, pdfFile(Buffer.from('BT ET'), locked)],
    [
      'is Word with a password',
      'FILE_ENCRYPTED',
      docx,
      Buffer.from('d0cf11e0a1b11ae1'.padEnd(64, '0'), 'hex'),
    ],
    [
      'is a ZIP with a password',
      'FILE_ENCRYPTED',
      docx,
      parts([{ name: 'word/document.xml', data: noise, encrypted: true }]),
    ],
    ['is a PDF in its first line only', 'FILE_BROKEN', pdf, '%PDF-1.7 and nothing more'],
    [
      'is half a ZIP',
      'FILE_BROKEN',
      docx,
      parts([{ name: 'word/document.xml', data: noise }]).subarray(0, 900),
    ],
    ['is Word without words', 'FILE_BROKEN', docx, parts([{ name: 'word/document.xml', data: noise }])],
    [
      'says that it unpacks to too much',
      'ZIP_BOMB',
      docx,
      parts([{ name: 'word/document.xml', data: noise, saidSize: 5 << 20 }]),
    ],
    ['is denser than text can be', 'ZIP_BOMB', docx, parts([{ name: 'word/document.xml', data: zeros }])],
    [
      'unpacks to more than it says',
      'ZIP_BOMB',
      docx,
      parts([{ name: 'word/document.xml', data: zeros, saidSize: 1_000 }]),
    ],
    ['has too many pages', 'FILE_TOO_LARGE', pdf, sixPages],
    ['has too much text', 'FILE_TOO_LARGE', 'text/plain', 'word '.repeat(3_000)],
    ['is a PDF that says it is text', 'TYPE_MISMATCH', 'text/plain', sixPages],
    ['is text that says it is a PDF', 'TYPE_MISMATCH', pdf, 'Text'],
    ['is bytes that say they are text', 'TYPE_MISMATCH', 'text/markdown', Buffer.from([1, 0, 2, 0])],
    ['is a ZIP that is no Word', 'TYPE_MISMATCH', docx, zipFile([{ name: 'a.txt', data: Buffer.from('a') }])],
    ['is a picture', 'TYPE_UNSUPPORTED', 'image/png', 'png'],
    ['is empty', 'NO_TEXT', 'text/plain', ' \n '],
    ['is a scan', 'NO_TEXT', pdf, pdfFile(Buffer.from('0 0 300 300 re f'))],
    ['swells in memory', 'EXTRACTION_MEMORY', pdf, pdfFile(Buffer.alloc(600 << 20, ' '))],
  ])('%s: %s', async (_, code, contentType, content) => {
    await expect(read(contentType, content)).rejects.toMatchObject({ name: 'ExtractionError', code });
  });

  // Also while the thread is still loading what it reads with.
  test.each([1_000, 700, 500, 300, 100])(
    'takes too long: EXTRACTION_TIMEOUT after %i ms',
    async (deadlineMs) => {
      const endless = '<div>'.repeat(300_000);
      await expect(read('text/html', endless, { bounds: { deadlineMs } })).rejects.toMatchObject({
        code: 'EXTRACTION_TIMEOUT',
      });
    },
  );

  test('is not wanted any more: the reason of the signal', async () => {
    const abort = new AbortController();
    const reading = read('text/plain', 'Text', { signal: abort.signal });
    abort.abort(new Error('deleted'));
    await expect(reading).rejects.toThrow('deleted');
  });
});
