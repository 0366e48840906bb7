import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ExtractionError, type Page, type PageOf } from './extracted-page.ts';
import type { ExtractionWork } from './read-pages.ts';

export type ExtractionMessage =
  | { readonly page: PageOf }
  | { readonly end: 'read' }
  | { readonly end: 'failed'; readonly code: ExtractionError['code']; readonly message: string };

/** What the reading of one file may take. */
export interface ExtractionBounds {
  readonly deadlineMs: number;
  /** Of the thread, with what it holds outside its heap. */
  readonly memoryMb: number;
}

const watchEveryMs = 100;

/**
 * The pages of a file, read in a thread of its own: a file that makes its reader hang or swell ends that thread, not the process. Throws
 * ExtractionError, or the signal's reason. `onPage` is told which part of the pages is read, 0…1.
 */
export async function extract(
  work: ExtractionWork,
  bounds: ExtractionBounds,
  watch: { readonly signal: AbortSignal; readonly onPage: (part: number) => void },
): Promise<Page[]> {
  watch.signal.throwIfAborted();
  const worker = new Worker(new URL('./extract.worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: bounds.memoryMb, maxYoungGenerationSizeMb: 32 },
    env: {},
    // Libraries report oddities of a file on the console.
    stdout: true,
    stderr: true,
  });
  const pages: Page[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Page[]>();
  const tooLong = setTimeout(
    () => reject(new ExtractionError('EXTRACTION_TIMEOUT', 'Reading the file took too long.')),
    bounds.deadlineMs,
  );
  const swelling = setInterval(() => {
    worker.getHeapStatistics().then(
      ({ used_heap_size: heap, external_memory: outside }) => {
        if (heap + outside > bounds.memoryMb * 2 ** 20) reject(tooMuchMemory());
      },
      () => undefined, // it has ended
    );
  }, watchEveryMs);
  const onAbort = (): void => reject(watch.signal.reason as Error);
  watch.signal.addEventListener('abort', onAbort);
  worker.on('message', (message: ExtractionMessage) => {
    if ('page' in message) {
      pages.push(message.page.page);
      watch.onPage(pages.length / message.page.of);
    } else if (message.end === 'read') resolve(pages);
    else reject(new ExtractionError(message.code, message.message));
  });
  worker.on('error', (error: NodeJS.ErrnoException) =>
    reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory() : error),
  );
  worker.on('exit', () => reject(new Error('the thread that reads files ended without a word')));
  try {
    return await promise;
  } finally {
    clearTimeout(tooLong);
    clearInterval(swelling);
    watch.signal.removeEventListener('abort', onAbort);
    await end(worker);
  }
}

/** A thread that is still loading its modules may swallow its end and go on, for ever with a bad file: it is told again until it has ended. */
async function end(worker: Worker): Promise<void> {
  for (let pauseMs = 100; ; pauseMs *= 2)
    if ((await Promise.race([worker.terminate(), sleep(pauseMs, 'goes on', { ref: false })])) !== 'goes on')
      return;
}

const tooMuchMemory = (): ExtractionError =>
  new ExtractionError('EXTRACTION_MEMORY', 'Reading the file took too much memory.');
