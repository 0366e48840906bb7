import { decodeText } from './decode-text.ts';
import {
  ExtractionError,
  type Block,
  type ExtractionLimits,
  type Page,
  type PageOf,
} from './extracted-page.ts';
import { fileKindOf } from './file-kind.ts';
import { blocksOfDocx } from './read-docx.ts';
import { blocksOfHtml } from './read-html.ts';
import { blocksOfMarkdown } from './read-markdown.ts';
import { readPdf } from './read-pdf.ts';
import { blocksOfText } from './read-text.ts';

/** A file and its limits, as they go to the thread that reads it. */
export interface ExtractionWork {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly limits: ExtractionLimits;
}

/** The pages of a file in their order, without what is empty. Throws ExtractionError; may take any time and memory. */
export async function* readPages(work: ExtractionWork): AsyncGenerator<PageOf> {
  let chars = 0;
  try {
    for await (const { page, of } of pagesOf(work)) {
      const blocks = page.blocks.filter(({ text }) => text.trim() !== '');
      chars += blocks.reduce((sum, { text }) => sum + text.length, 0);
      if (chars > work.limits.textChars)
        throw new ExtractionError('FILE_TOO_LARGE', 'The file holds more text than is allowed.');
      yield { page: { ...page, blocks }, of };
    }
  } catch (error) {
    if (error instanceof ExtractionError) throw error;
    throw new ExtractionError('FILE_BROKEN', 'The file is damaged and cannot be read.', { cause: error });
  }
  if (chars === 0) throw new ExtractionError('NO_TEXT', 'The file has no text to search in.');
}

async function* pagesOf({ bytes, contentType, limits }: ExtractionWork): AsyncGenerator<PageOf> {
  const kind = fileKindOf(contentType, bytes);
  switch (kind) {
    case 'pdf':
      yield* readPdf(bytes, limits);
      break;
    case 'docx':
      yield whole(await blocksOfDocx(bytes, limits));
      break;
    case 'html':
      yield whole(blocksOfHtml(decodeText(bytes)));
      break;
    case 'markdown':
      yield whole(blocksOfMarkdown(decodeText(bytes)));
      break;
    case 'text':
      yield whole(blocksOfText(decodeText(bytes)));
  }
}

const whole = (blocks: Block[]): { page: Page; of: number } => ({ page: { page: null, blocks }, of: 1 });
