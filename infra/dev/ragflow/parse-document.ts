import { createHash } from 'node:crypto';
import type { Parse, RagflowChunk, RagflowDocument } from './state.ts';

/** Endings of files that the real one takes in. */
const known = /\.(pdf|docx?|xlsx?|pptx?|csv|txt|md|markdown|mdx|html?|json|eml)$/i;
/** Those that this one finds text in. */
const readable = /\.(txt|md|markdown)$/i;

export const isKnownFile = (name: string): boolean => known.test(name);

/** How a document stands, in Ragflow's words. */
export interface Standing {
  readonly run: 'UNSTART' | 'RUNNING' | 'CANCEL' | 'DONE' | 'FAIL';
  /** 0…1; -1: it failed. */
  readonly progress: number;
  readonly progress_msg: string;
}

const failed = (why: string): Standing => ({
  run: 'FAIL',
  progress: -1,
  progress_msg: `10:00:00 Task has been received.\n10:00:01 [ERROR]${why}`,
});

/** Looks at a document; a parse whose time has come ends with this look. */
export function look(document: RagflowDocument, now: number, parseMs: number): Standing {
  const { parse } = document;
  if (!parse) return { run: 'UNSTART', progress: 0, progress_msg: '' };
  if (parse === 'STOPPED') return { run: 'CANCEL', progress: 0, progress_msg: '' };
  const part = Math.min(1, (now - parse.startedAt) / parseMs);
  const running = {
    run: 'RUNNING',
    progress: 0.9 * part,
    progress_msg: '10:00:00 Task has been received.',
  } as const;
  if (part < 1 || parse.fault === 'STUCK') return running;
  if (parse.fault === 'FAIL') return failed('The embedding model refuses the text.');
  if (parse.fault && parse.fault !== 'NO_CHUNKS' && !parse.wasSeen) {
    parse.wasSeen = true;
    return parse.fault === 'FAIL_THEN_DONE' ? failed('The model is busy.') : { ...running, progress: -1 };
  }
  if (!readable.test(document.name))
    return failed('Internal server error while chunking: the file cannot be read.');
  if (!document.chunks.length && parse.fault !== 'NO_CHUNKS') document.chunks = chunksOf(document);
  return { run: 'DONE', progress: 1, progress_msg: '10:00:01 Indexing done.' };
}

export const startParse = (document: RagflowDocument, parse: Parse): void => {
  document.chunks = [];
  document.parse = parse;
};

/** A chunk for each part under a heading. Its position is its number, five times: what Ragflow gives to formats that have no pages. */
function chunksOf({ id, bytes }: RagflowDocument): RagflowChunk[] {
  const parts = new TextDecoder()
    .decode(bytes)
    .split(/^(?=#{1,6} )/m)
    .map((part) => part.trim());
  return parts.filter(Boolean).map((content, at) => ({
    id: createHash('sha256').update(`${id}/${at}`).digest('hex').slice(0, 16),
    content,
    positions: [[at + 1, at, at, at, at]],
  }));
}
