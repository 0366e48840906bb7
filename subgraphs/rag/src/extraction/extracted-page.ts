import type { IngestFailure } from '../engines/engine.ts';

/** A run of text of one kind. A list is one block per item, a table one per row (cells joined by ` | `); `level` (1–6) is a heading's. */
export interface Block {
  readonly kind: 'heading' | 'paragraph' | 'list' | 'table' | 'code';
  readonly level?: number;
  readonly text: string;
}

/** What is to be read on one page; formats without pages are one page whose number is null. */
export interface Page {
  readonly page: number | null;
  readonly blocks: readonly Block[];
}

/** A page and how many there are, so that a reader can say how far it is. */
export interface PageOf {
  readonly page: Page;
  readonly of: number;
}

export interface ExtractionLimits {
  readonly pages: number;
  /** Of all text that is taken out, in UTF-16 units. */
  readonly textChars: number;
  /** What a container may unpack to, in bytes. */
  readonly unpackedBytes: number;
}

type ExtractionFailure = Exclude<IngestFailure, 'ENGINE_STUCK' | 'ENGINE_FAILED' | 'BASE_NOT_FOUND'>;

/** A file that cannot be read, and why; the message is for the person who uploaded it. */
export class ExtractionError extends Error {
  override readonly name = 'ExtractionError';
  readonly code: ExtractionFailure;
  constructor(code: ExtractionFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** White space of every kind becomes one space. */
export const tidy = (text: string): string => text.replace(/\s+/g, ' ').trim();
