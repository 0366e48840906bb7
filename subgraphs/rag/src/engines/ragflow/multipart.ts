import { randomUUID } from 'node:crypto';

/**
 * A form with one file, of which never more than a piece is in memory. `fileName` goes into a header as it is: it may have letters, digits, `.` and `-` only.
 */
export function formOfFile(
  fileName: string,
  bytes: AsyncIterable<Uint8Array>,
): { readonly contentType: string; readonly body: AsyncIterable<Uint8Array> } {
  if (!/^[\w.-]+$/.test(fileName)) throw new Error('a file name that could be read as something else');
  const boundary = `agentstore-${randomUUID()}`;
  async function* body(): AsyncIterable<Uint8Array> {
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${fileName}"\r\ncontent-type: application/octet-stream\r\n\r\n`,
    );
    yield* bytes;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: body() };
}
