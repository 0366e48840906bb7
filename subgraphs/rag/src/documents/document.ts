import type { Refusal } from '@agentstore/kernel/outcome';
import type { Uuid } from '@agentstore/kernel/ids';
import type { IngestFailure } from '../engines/engine.ts';
import type { QuotaRefusal } from '../knowledge-bases/knowledge-base.ts';

export type DocumentState = 'AWAITING_UPLOAD' | 'UPLOADED' | 'INGESTING' | 'READY' | 'FAILED';

/** Why a document could not be made searchable: by the file, or by what befell us. */
export type DocumentFailure =
  | Exclude<IngestFailure, 'BASE_NOT_FOUND'>
  | 'UPLOAD_MISSING'
  | 'UPLOAD_MISMATCH'
  | 'ENGINE_UNAVAILABLE'
  | 'INTERNAL';

/** A file in a knowledge base. */
export interface Document {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly knowledgeBaseId: Uuid;
  /** As it was called where it comes from, with its ending. */
  readonly name: string;
  /** Without parameters. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly state: DocumentState;
  /** Counts the times that somebody asked for it to be ingested. */
  readonly attempt: number;
  /** 0…1; never goes back within an attempt. */
  readonly progress: number;
  readonly chunkCount: number;
  /** Both with FAILED, and only then. */
  readonly failure: DocumentFailure | null;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly revision: bigint;
}

export const documentRefusalCodes = {
  KNOWLEDGE_BASE_NOT_FOUND: 'No such knowledge base, or the caller does not belong there.',
  KNOWLEDGE_BASE_NOT_READY: 'The knowledge base is being made or removed, or could not be made.',
  DOCUMENT_NOT_FOUND: 'No such document, or the caller does not belong there.',
  NOT_ENTITLED: 'No plan of the project includes knowledge bases.',
  QUOTA_EXCEEDED: 'The plans of the project give no room for this file.',
  FILE_TOO_LARGE: 'The file is larger than any file may be.',
  UPLOAD_MISSING: 'The file was not uploaded.',
  UPLOAD_MISMATCH: 'What was uploaded is not the file that was announced.',
  INVALID_INPUT: 'A value of the input is not usable.',
};
export type DocumentRefusal =
  | (Refusal & { readonly code: Exclude<keyof typeof documentRefusalCodes, QuotaRefusal['code']> })
  | QuotaRefusal;

export const noDocument = {
  code: 'DOCUMENT_NOT_FOUND',
  message: 'There is no such document.',
  field: 'documentId',
} as const;

/** A file as a client announces it. */
export interface AnnouncedFile {
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const invalid = (field: keyof AnnouncedFile, message: string): DocumentRefusal => ({
  code: 'INVALID_INPUT',
  message,
  field,
});

/** What is wrong with an announced file, before anything is asked or stored. */
export function fileFault(file: AnnouncedFile, maxBytes: number): DocumentRefusal | undefined {
  if (!file.name.trim() || Buffer.byteLength(file.name) > 255 || /[\p{Cc}/\\]/u.test(file.name))
    return invalid('name', 'The name must have 1 to 255 bytes and no slashes or control characters.');
  if (!/^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,126}$/.test(file.contentType))
    return invalid('contentType', 'The content type must be in lower case and without parameters.');
  if (!/^[0-9a-f]{64}$/.test(file.sha256))
    return invalid('sha256', 'sha256 must be 64 lower-case hex digits.');
  if (file.sizeBytes < 1) return invalid('sizeBytes', 'An empty file has nothing to search in.');
  if (file.sizeBytes > maxBytes)
    return {
      code: 'FILE_TOO_LARGE',
      message: `The file has ${file.sizeBytes} bytes; at most ${maxBytes} are taken.`,
      field: 'sizeBytes',
    };
  return undefined;
}

/** True when asking for it to be ingested begins a new attempt; else it is under way or done. */
export const startsAttempt = ({ state }: Document): boolean =>
  state === 'AWAITING_UPLOAD' || state === 'FAILED';

/** Seconds until a fault of ours is tried again, after that many tries. */
export const secondsBeforeTry = (tries: number): number => Math.min(60, 2 ** tries);
