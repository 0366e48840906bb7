import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';
import { ExtractionError } from './extracted-page.ts';

/** More entries than a document has a reason to. */
const mostEntries = 5_000;
/** Text of a document is packed to a tenth; a hundredth is made to harm. Small entries may be anything. */
const mostRatio = 100;
const ratioFrom = 1 << 20;

const open = promisify<Buffer, { lazyEntries: true }, ZipFile>(fromBuffer);

/**
 * Reads a ZIP through before anything else unpacks it, a piece at a time: first what its entries say they unpack to, then what they do. Answers the
 * names of its entries. Throws ZIP_BOMB, FILE_ENCRYPTED or FILE_BROKEN.
 */
export async function inspectZip(bytes: Buffer, unpackedBytes: number): Promise<string[]> {
  const zip = await open(bytes, { lazyEntries: true }).catch(broken);
  if (zip.entryCount > mostEntries) throw bomb();
  const entries = await entriesOf(zip).catch(broken);
  if (entries.some((entry) => entry.isEncrypted()))
    throw new ExtractionError('FILE_ENCRYPTED', 'The file is protected by a password.');
  const said = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
  if (said > unpackedBytes || entries.some(isTooDense)) throw bomb();
  let unpacked = 0;
  const openStream = promisify<Entry, Readable>(zip.openReadStream.bind(zip));
  for (const entry of entries.filter(({ fileName }) => !fileName.endsWith('/')))
    try {
      for await (const piece of await openStream(entry)) {
        unpacked += (piece as Buffer).length;
        if (unpacked > unpackedBytes) throw bomb();
      }
    } catch (error) {
      throw error instanceof ExtractionError ? error : falseSize(error);
    }
  return entries.map(({ fileName }) => fileName);
}

const isTooDense = ({ compressedSize, uncompressedSize }: Entry): boolean =>
  uncompressedSize > ratioFrom && uncompressedSize > mostRatio * compressedSize;

const entriesOf = (zip: ZipFile): Promise<Entry[]> =>
  new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.once('end', () => resolve(entries));
    zip.once('error', reject);
    zip.readEntry();
  });

const bomb = (): ExtractionError =>
  new ExtractionError('ZIP_BOMB', 'The file unpacks to far more than a document has.');

/** An entry that unpacks to more than it says is no accident. */
const falseSize = (error: unknown): ExtractionError =>
  /too many bytes/i.test((error as Error).message) ? bomb() : brokenError(error);

const brokenError = (error: unknown): ExtractionError =>
  new ExtractionError('FILE_BROKEN', 'The file is damaged and cannot be unpacked.', { cause: error });

const broken = (error: unknown): never => {
  throw brokenError(error);
};
