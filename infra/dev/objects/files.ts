import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { S3Error } from './s3-error.ts';

/** Bytes on disk that no object points to yet. */
export interface Received {
  readonly file: string;
  readonly size: number;
  /** Hex digests of the bytes. */
  readonly md5: string;
  readonly sha256: string;
}

/** Makes a rename durable: the directory's entry, too, must reach the disk. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a small file in one step; what was answered after it survives kill -9 and a power cut. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.new`;
  const handle = await fs.open(temporary, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(temporary, file);
  await syncDirectory(path.dirname(file));
}

/**
 * Writes a stream to a new file in `directory`, synced, with its digests. More than `maxBytes` is refused with EntityTooLarge; on any failure
 * nothing is left on disk.
 */
export async function receive(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  o: { directory: string; maxBytes: number },
): Promise<Received> {
  const file = path.join(o.directory, randomUUID());
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  const handle = await fs.open(file, 'wx');
  let size = 0;
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > o.maxBytes) throw new S3Error('EntityTooLarge');
      md5.update(chunk);
      sha256.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } catch (error) {
    await handle.close();
    await fs.rm(file, { force: true });
    throw error;
  }
  await handle.close();
  await syncDirectory(o.directory);
  return { file, size, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}
