import { ExtractionError } from './extracted-page.ts';

const kinds = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'text/markdown': 'markdown',
  'text/plain': 'text',
} as const;
export type FileKind = (typeof kinds)[keyof typeof kinds];

/** Content types that can be read. */
export const readableTypes = Object.keys(kinds) as (keyof typeof kinds)[];

/** A signature may stand after some bytes of other things (ISO 32000, annex H). */
const pdfSignatureWithin = 1024;

/** The kind that the content type says, when the first bytes do not say otherwise. Throws TYPE_UNSUPPORTED or TYPE_MISMATCH. */
export function fileKindOf(contentType: string, bytes: Uint8Array): FileKind {
  const kind = kinds[contentType as keyof typeof kinds] as FileKind | undefined;
  if (!kind)
    throw new ExtractionError('TYPE_UNSUPPORTED', `Files of the type ${contentType} cannot be read.`);
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, pdfSignatureWithin));
  const found = signatureOf(head);
  const expected = kind === 'pdf' || kind === 'docx' ? kind : 'text';
  if (found !== expected)
    throw new ExtractionError('TYPE_MISMATCH', `The file is not what its type ${contentType} says.`);
  return kind;
}

function signatureOf(head: Buffer): 'pdf' | 'docx' | 'text' | 'other' {
  if (head.includes('%PDF-')) return 'pdf';
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return 'docx';
  // What Word writes when a password is set is not a ZIP but a container of the old kind.
  if (head.subarray(0, 8).equals(Buffer.from('d0cf11e0a1b11ae1', 'hex')))
    throw new ExtractionError('FILE_ENCRYPTED', 'The file is protected by a password.');
  const utf16 = head[0] === 0xff ? head[1] === 0xfe : head[0] === 0xfe && head[1] === 0xff;
  return !utf16 && head.includes(0) ? 'other' : 'text';
}
