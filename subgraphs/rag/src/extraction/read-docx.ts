import mammoth from 'mammoth';
import { ExtractionError, type Block, type ExtractionLimits } from './extracted-page.ts';
import { inspectZip } from './inspect-zip.ts';
import { blocksOfHtml } from './read-html.ts';

/** Pictures are not unpacked. */
const noImages = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));

/** Word's own format: headings, lists and tables as its styles say. It knows no pages. */
export async function blocksOfDocx(bytes: Uint8Array, limits: ExtractionLimits): Promise<Block[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = await inspectZip(buffer, limits.unpackedBytes);
  if (!names.includes('[Content_Types].xml') || !names.some((name) => name.startsWith('word/')))
    throw new ExtractionError('TYPE_MISMATCH', 'The file is a ZIP, but not a Word document.');
  const { value } = await mammoth.convertToHtml({ buffer }, { convertImage: noImages });
  return blocksOfHtml(value);
}
