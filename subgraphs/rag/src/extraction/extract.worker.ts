import { parentPort, workerData } from 'node:worker_threads';
import type { ExtractionMessage } from './extract.ts';
import { ExtractionError } from './extracted-page.ts';
import { readPages, type ExtractionWork } from './read-pages.ts';

/** The thread that reads one file: posts its pages, then how it ended. */
const post = (message: ExtractionMessage): void => parentPort!.postMessage(message);
try {
  for await (const page of readPages(workerData as ExtractionWork)) post({ page });
  post({ end: 'read' });
} catch (error) {
  if (!(error instanceof ExtractionError)) throw error;
  post({ end: 'failed', code: error.code, message: error.message });
}
