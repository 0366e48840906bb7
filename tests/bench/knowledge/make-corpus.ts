import fs from 'node:fs';
import path from 'node:path';
import { Document, HeadingLevel, Packer, Paragraph } from 'docx';
import { PDFDocument, StandardFonts, type PDFFont } from 'pdf-lib';
import { docxFiles, pdfFiles } from './corpus-files.ts';

/** `node tests/bench/knowledge/make-corpus.ts`: makes the PDF and Word files of the corpus, which are committed. */
const folder = path.join(import.meta.dirname, 'corpus');
for (const [name, pages] of Object.entries(pdfFiles))
  fs.writeFileSync(path.join(folder, name), await pdfOf(pages));
for (const [name, text] of Object.entries(docxFiles))
  fs.writeFileSync(path.join(folder, name), await docxOf(text));

async function pdfOf(pages: readonly string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const body = await pdf.embedFont(StandardFonts.TimesRoman);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  for (const text of pages) {
    const page = pdf.addPage([420, 595]);
    let y = 545;
    for (const line of text.split('\n')) {
      const level = headingLevel(line);
      const font = level ? bold : body;
      const size = level ? 22 - 4 * level : 11;
      y -= level ? 12 : 0;
      for (const row of wrap(line.replace(/^#+ /, ''), font, size, 330)) {
        page.drawText(row, { x: 45, y, size, font });
        y -= size * 1.3;
      }
      y -= 9;
    }
  }
  return pdf.save();
}

function docxOf(text: string): Promise<Buffer> {
  const headings = [HeadingLevel.HEADING_1, HeadingLevel.HEADING_2];
  const children = text.split('\n').map((line) => {
    const heading = headings[headingLevel(line) - 1];
    return new Paragraph({ text: line.replace(/^#+ /, ''), ...(heading ? { heading } : {}) });
  });
  return Packer.toBuffer(new Document({ sections: [{ children }] }));
}

function headingLevel(line: string): number {
  return /^#*/.exec(line)![0].length;
}

function wrap(text: string, font: PDFFont, size: number, width: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    const longer = row ? `${row} ${word}` : word;
    if (font.widthOfTextAtSize(longer, size) <= width) row = longer;
    else {
      rows.push(row);
      row = word;
    }
  }
  return [...rows, row];
}
