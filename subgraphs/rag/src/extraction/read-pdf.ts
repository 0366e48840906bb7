import { getDocumentProxy } from 'unpdf';
import { ExtractionError, type ExtractionLimits, type PageOf } from './extracted-page.ts';
import { blocksOfLines, type Line } from './lines-of-page.ts';

/** One page after the other. */
export async function* readPdf(bytes: Uint8Array, limits: ExtractionLimits): AsyncGenerator<PageOf> {
  const pdf = await open(bytes);
  if (pdf.numPages > limits.pages)
    throw new ExtractionError(
      'FILE_TOO_LARGE',
      `The file has ${pdf.numPages} pages; ${limits.pages} are allowed.`,
    );
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const lines: Line[] = [];
    let line: { text: string; y: number; size: number } | undefined;
    for (const item of items) {
      if (!('str' in item)) continue;
      const [, , , , , y = 0] = item.transform as number[];
      // A new line may begin without the old one being ended.
      if (line && Math.abs(line.y - y) > Math.max(line.size, item.height) / 2) line = undefined;
      if (!line) lines.push((line = { text: '', y, size: 0 }));
      line.text += item.str;
      line.size = Math.max(line.size, item.height);
      if (item.hasEOL) line = undefined;
    }
    page.cleanup();
    yield { page: { page: number, blocks: blocksOfLines(lines) }, of: pdf.numPages };
  }
}

async function open(bytes: Uint8Array) {
  try {
    // Nothing is drawn.
    return await getDocumentProxy(bytes, { disableFontFace: true, verbosity: 0 });
  } catch (error) {
    if ((error as Error).name === 'PasswordException')
      throw new ExtractionError('FILE_ENCRYPTED', 'The file is protected by a password.', { cause: error });
    throw error;
  }
}
