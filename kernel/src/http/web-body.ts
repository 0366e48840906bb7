import type { Readable } from 'node:stream';

/**
 * A node stream as a web one. Node's own adapter hands a chunk that is already under way to a reader that has cancelled, and throws in a turn of its own, which
 * ends the process; here what comes after a cancel is dropped. Cancelling does not wait for a chunk, which in a quiet stream never comes.
 */
export function webBodyOf(source: Readable): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (tell: () => void): void => {
        if (over) return;
        over = true;
        tell();
      };
      source.on('data', (chunk: Uint8Array) => {
        if (over) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) source.pause();
      });
      source.on('end', () => end(() => controller.close()));
      source.on('error', (error) => end(() => controller.error(error)));
      source.on('close', () => end(() => controller.error(new Error('the stream was cut'))));
      source.pause();
    },
    pull: () => void source.resume(),
    cancel() {
      over = true;
      source.destroy();
    },
  });
}
